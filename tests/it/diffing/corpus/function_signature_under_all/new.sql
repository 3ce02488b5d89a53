create function f(a int, b int default 2) returns bigint language sql immutable as 'select 1::bigint';
create table t (a int default f(1), b int generated always as (f(2)) stored, check (f(a) > 0)); create index on t (f(a)); create view v as select f(a) as x from t;
