create schema s;
create type s.e as enum ('a', 'b');
create domain s.d as s.e;
create type s.c as (x s.e);
create table t (a s.e, b s.d, c s.c);
create table s.t (a s.e[]);
