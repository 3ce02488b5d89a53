create type e as enum ('a', 'b');
create table t (a e default 'b');
create index i on t (a) where a = 'b';
