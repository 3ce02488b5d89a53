create type inner_type as enum ('a', 'b');
create type c as (a int, b inner_type);
create domain d as int check (value > 0);
create table t of c;
create table held (x c[], y d);
create function f(c) returns int language sql return 1;
