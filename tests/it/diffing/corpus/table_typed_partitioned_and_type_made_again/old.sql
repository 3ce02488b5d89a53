create type c as (a int, b text);
create table holder (x c);
create table t of c partition by list (a);
create table u partition of t for values in (1);
create table s (y t);
