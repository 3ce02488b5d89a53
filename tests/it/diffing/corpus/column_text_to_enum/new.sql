create type e as enum ('a', 'b');
create table t (a e default 'a');
create index i on t (a);
