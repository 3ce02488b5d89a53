create table t (k int, v text default 'a', w int default 1 not null) partition by range (k);
create table t1 partition of t for values from (0) to (10);
