create type e as enum ('b', 'a');
create domain d as e default 'a';
create type c as (x e, y int);
create table t (a d, b c, f e);
