create table t (k int, v text) partition by hash (k);
create table t1 partition of t for values with (modulus 2, remainder 0);
create table t2 partition of t for values with (modulus 2, remainder 1);
