create domain d as int;
alter domain d add constraint small check (value < 100) not valid;
create domain e as int;
create type comp as (d d);
create type other as (e e);
create table t (c comp[]);
create table u (c other[]);
