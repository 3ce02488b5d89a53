create table t (id int, s text);
create function f(int) returns bigint language sql immutable return $1;
create function g(int) returns bigint language sql immutable return f($1);
create function h(int) returns bigint language sql immutable return g($1) + f(1);
create view v as select h(id) from t;
create function w() returns setof v language sql begin atomic select * from v; end;
