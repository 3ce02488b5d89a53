create function f() returns text language sql as 'select null::text';
revoke all on function f() from public;
grant execute on function f() to pg_monitor with grant option;
comment on function f() is 'f';
