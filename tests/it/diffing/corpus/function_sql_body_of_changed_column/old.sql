create table t (a int);
create function f() returns bigint language sql begin atomic select sum(a) from t; end;
