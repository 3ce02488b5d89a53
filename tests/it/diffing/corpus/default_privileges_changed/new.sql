alter default privileges in schema public grant insert on tables to pg_monitor;
alter default privileges revoke execute on functions from public;
create table t (a int);
create table u (a int);
create function f() returns int language sql as 'select 1';
