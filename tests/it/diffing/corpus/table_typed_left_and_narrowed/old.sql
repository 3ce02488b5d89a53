create type comp as (a int, b text);
create table t of comp (primary key (a));
create table u of comp;
