create table t (id int, a int);
create table m1 (x int) inherits (t);
create table m2 (y int) inherits (t);
create table child (d text) inherits (m1, m2);
create table grandchild () inherits (child, t);
