create schema s;
create type s.e as enum ('a');
create table t (a s.e default 'a');
