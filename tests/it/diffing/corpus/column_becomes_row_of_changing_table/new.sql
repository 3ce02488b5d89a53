create type e as enum ('a');
create table parent (id bigint, st e default 'a');
create table t (r parent);
