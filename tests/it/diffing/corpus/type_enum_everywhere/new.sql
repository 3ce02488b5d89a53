create type e as enum ('a', 'c', 'b', 'd');
create domain d as e default 'b' check (value <> 'c');
create type c as (x e, y d, z bigint);
create table t (a e default 'b', b d, c c, ea e[] default '{a,b}', primary key (a));
create index on t (b) where a = 'b';
create view v as select a, (c).x from t where a > 'a';
