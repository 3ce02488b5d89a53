create type inner_type as enum ('b', 'c');
create domain d as int check (value > 1);
create type c as (a int, b inner_type);
create table t of c;
create table held (x c[], y d);
create function f(c) returns int language sql return 2;
