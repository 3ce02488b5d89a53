create table t (k int, v int);
create table t1 () inherits (t);
