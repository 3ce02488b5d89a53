create type e as enum ('a', 'b', 'c');
create domain d as e default 'a' check (value <> 'c');
create type c as (x e, y d, z int);
create table t (a e default 'a', b d, c c, ea e[] default '{a,b}', primary key (a));
create index on t (b) where a = 'b';
create view v as select a, (c).x from t where a > 'a';
