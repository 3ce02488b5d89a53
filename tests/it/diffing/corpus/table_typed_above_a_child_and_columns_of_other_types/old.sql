create type e as enum ('a', 'b');
create type c as (a e, b text collate "C");
create table t of c (primary key (a), b with options not null);
create table u (z int) inherits (t);
