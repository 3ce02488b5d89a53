create type e as enum ('c', 'b', 'a');
create table t (a e default 'b', b e[] default '{a}', c int);
create index i on t (a) where a = 'a';
create view v as select a from t where a = 'b';
create function f(e) returns e language sql as 'select $1';
alter table t add constraint k check (a <> 'a');
grant usage on type e to pg_monitor;
comment on type e is 'e';
