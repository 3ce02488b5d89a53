create table t (k int, v text) partition by range (k);
create table t1 partition of t for values from (0) to (10);
create table t2 partition of t for values from (10) to (20);
