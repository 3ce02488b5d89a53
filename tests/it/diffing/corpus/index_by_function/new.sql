create function f(x int) returns int language sql immutable as 'select 2';
create table t (a int);
create index i on t (f(a));
