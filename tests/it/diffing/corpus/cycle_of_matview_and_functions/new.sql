create table t (a int);
create function f(int) returns int language plpgsql immutable as 'begin return $1; end';
create materialized view m as select f(a) as x from t;
create function g(m) returns int language sql as 'select 1';
create view v as select g(m) as y from m;
create index on m (f(x));
