create domain d as int constraint small check (value < 100);
create domain e as int;
alter domain e add constraint small check (value < 100) not valid;
create type comp as (d d);
create type other as (e e);
create table t (c comp[]);
create table u (c other[]);
