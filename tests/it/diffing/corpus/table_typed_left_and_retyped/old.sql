create type comp as (a bigint, b text);
create table t of comp (a not null, b with options default 'x');
create view v as select * from t;
