create table t (a int);
create function f(t) returns int language sql as 'select 1';
create function g() returns setof t language sql as 'select * from t';
