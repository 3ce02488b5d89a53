create type e as enum ('b', 'a');
create table t (a e primary key);
create table u (a e references t);
