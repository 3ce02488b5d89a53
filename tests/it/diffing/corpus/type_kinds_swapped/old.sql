create type e as (l text);
create domain d as e check ((value).l <> '');
create type c as range (subtype = int, subtype_diff = int4range_subdiff);
create function int4_subdiff2(int, int) returns float8 language sql immutable as 'select 1.0::float8';
create table t (a e, b d, c c, ea e[], m c[]);
