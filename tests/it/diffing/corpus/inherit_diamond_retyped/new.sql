create table t (id bigint, a int default 5 check (a > 0));
create table m1 (x int) inherits (t);
create table m2 (y int) inherits (t);
create table child (d text, a int default 7) inherits (m1, m2);
create table grandchild (z int) inherits (child);
