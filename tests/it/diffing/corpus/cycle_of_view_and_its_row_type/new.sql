create table t (a int);
create view v as select a, null::int as n from t;
create function f(x v) returns int language plpgsql as 'begin return 1; end';
create or replace view v as select a, (select f(row(t.a, 2)::v)) as n from t;
