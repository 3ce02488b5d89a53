create type comp as (a int);
create table parent (id bigint, name text not null default 'n');
create table t (r comp, s comp[]);
