create table t (a int);
create function f() returns trigger language plpgsql as 'begin return null; end';
create trigger g after update on t referencing old table as o new table as n for each statement execute function f();
alter table t enable always trigger g;
