create type comp as (a int, c date);
create table t of comp;
alter table t not of;
alter table t add b text;
create table u of comp (unique (a));
