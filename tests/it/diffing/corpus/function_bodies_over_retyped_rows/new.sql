create type e as enum ('b', 'c');
create table t (id bigint, s e, z int);
create function f(e) returns e language sql immutable begin atomic select $1; end;
create function g(t) returns setof t language sql begin atomic select * from t where id > 1; end;
create function h() returns int language sql return 1 + 2;
create procedure p(x int) language sql begin atomic insert into t (id) values (x); delete from t; end;
create view v as select f(s), h() from t;
