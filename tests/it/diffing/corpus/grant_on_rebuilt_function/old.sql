create function f() returns int language sql as 'select 1';
revoke all on function f() from public;
grant execute on function f() to pg_monitor with grant option;
comment on function f() is 'f';
