create type e as enum ('a', 'b');
create table t (a e primary key);
create table u (a e references t);
