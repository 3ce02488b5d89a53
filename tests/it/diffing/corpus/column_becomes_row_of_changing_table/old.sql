create type e as enum ('b', 'a');
create type comp as (a e, b numeric);
create table parent (id int, st e);
create table t (r comp);
