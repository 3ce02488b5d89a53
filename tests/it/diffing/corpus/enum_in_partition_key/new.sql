create type e as enum ('b', 'a');
create table t (a e) partition by list (a);
create table t1 partition of t for values in ('a');
