create table t (a int, b int);
create function f(t) returns boolean language sql immutable as 'select $1.a > 0';
alter table t add constraint c check (f(t));
