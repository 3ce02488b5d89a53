create function ok(int) returns boolean language sql immutable as 'select $1 > 0';
create table t (a int constraint c check (ok(a)));
