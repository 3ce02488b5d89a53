create function f(a int, b int default 2) returns int language sql immutable as 'select $1';
create table t (a int default f(1), check (f(a) > 0));
create view v as select f(a) as x from t;
