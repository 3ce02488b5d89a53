create table t (a int, b int);
create function f(t) returns int language sql immutable as 'select 1';
create function g(int) returns int language sql as 'select 1';
alter table t alter a set default f(null::t);
