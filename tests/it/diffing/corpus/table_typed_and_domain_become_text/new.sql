create type e as enum ('a');
create domain d as int default 2 not null check (value > 1);
create type c as (a e, b text collate "C", c int);
create table t of c (primary key (a));
