create type e as enum ('a', 'b');
create table t (id int, s e);
create function f(e) returns e language sql immutable as 'select $1';
create function g(t) returns setof t language sql as 'select * from t';
create function h(t[]) returns e[] language sql as 'select null::e[]';
create view v as select f(s) from t;
create index on t (f(s));
alter table t alter s set default f('a');
alter table t add check (f(s) <> 'b');
