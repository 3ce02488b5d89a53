create table t (k int, v int) partition by range (k);
create table t1 partition of t for values from (0) to (10);
