create type e as enum ('b', 'c');
create table t (a e default 'b' check (a in ('b', 'c')));
