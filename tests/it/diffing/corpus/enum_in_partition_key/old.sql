create type e as enum ('a', 'b');
create table t (a e) partition by list (a);
create table t1 partition of t for values in ('a');
