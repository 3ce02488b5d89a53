create function f() returns bigint language sql as 'select 1::bigint';
create view v as select f() as a;
grant execute on function f() to pg_monitor;
