create table t (k int, v text) partition by range ((k + 1));
create table t1 partition of t for values from (0) to (10);
