create type c as (a int, b text);
create table t of c;
create table u (e int) inherits (t);
create table v () inherits (u);
