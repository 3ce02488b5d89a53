create type c as (x int);
create function cf(c) returns int language sql immutable as 'select $1.x';
create cast (c as int) with function cf(c) as assignment;
create type d as (x int);
create cast (d as c) with inout;
create cast (int as c) with inout as implicit;
comment on cast (c as int) is 'z';
create table t (a c, b int default (row(1)::c)::int);
create view v as select a::int as q from t;
