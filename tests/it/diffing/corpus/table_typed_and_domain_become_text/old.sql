create type e as enum ('a', 'b', 'c');
create domain d as int default 2 not null check (value > 0);
create type c as (a e, b d);
create table t of c (primary key (a));
