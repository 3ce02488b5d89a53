create table t (a int);
create view v as select a from t;
create function f() returns setof v language sql begin atomic select * from v; end;
create or replace view v as select a from t where a not in (select f.a from f());
