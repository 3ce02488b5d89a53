create table t (a int);
create function f() returns trigger language plpgsql as 'begin return new; end';
create trigger g after insert or update on t for each row execute function f('x');
alter table t disable trigger g;
comment on trigger g on t is 'g';
