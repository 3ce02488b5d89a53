create type comp as (a int);
create table t (a int, b text);
create table u (c comp, d comp[]);
