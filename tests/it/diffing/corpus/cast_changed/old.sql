create type c as (x int);
create function cf(c) returns int language sql immutable as 'select $1.x';
create cast (c as int) with function cf(c) as assignment;
create view v as select (row(1)::c)::int as q;
