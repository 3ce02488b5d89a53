create type e as enum ('a', 'b', 'c');
create table t (x e[] default array['a']::e[]);
create function f(e[]) returns setof e language sql as 'select unnest($1)';
create view v as select x[1] from t;
