create table t (a bigint);
create view v as select a, 1 as c from t;
create function f(v) returns int language sql as 'select 1';
create or replace view v as select a, f(row(1,2)::v) as c from t;
