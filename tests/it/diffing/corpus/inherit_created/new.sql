create table p (a int constraint c check (a > 0), b text default 'x');
create table q (b text, d int);
create table t (e int) inherits (p, q);
alter table t alter b set default 'y';
create table u (a int) inherits (p);
