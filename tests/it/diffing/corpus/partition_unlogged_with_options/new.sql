create table t (k int) partition by range (k);
create unlogged table t1 partition of t for values from (0) to (10) with (fillfactor = 70, autovacuum_enabled = off);
