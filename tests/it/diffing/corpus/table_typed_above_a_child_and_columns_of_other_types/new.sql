create type c as (a int, b text collate "C", d int);
create unlogged table t of c (a with options default 1 check (a > 0));
create table u (z int) inherits (t);
