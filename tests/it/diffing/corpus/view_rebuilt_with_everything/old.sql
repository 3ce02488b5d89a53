create table t (a int, b text);
create view v as select a, b from t;
alter view v alter a set default 7;
create function f() returns trigger language plpgsql as 'begin return new; end';
create trigger g instead of insert on v for each row execute function f();
create rule r as on update to v do instead nothing;
comment on view v is 'v';
comment on trigger g on v is 'g';
grant select, update (a) on v to pg_monitor;
