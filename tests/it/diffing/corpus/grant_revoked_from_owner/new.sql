create table t (a int);
revoke insert on t from current_user;
create function f() returns int language sql as 'select 1';
revoke all on function f() from public;
grant execute on function f() to pg_monitor;
