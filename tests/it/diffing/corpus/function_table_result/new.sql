create function f() returns table (a int, b text) language sql as 'select 1, null::text';
create view v as select a, b from f();
