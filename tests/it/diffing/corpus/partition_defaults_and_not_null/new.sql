create table t (k int, v text default 'b', w int) partition by range (k);
create table t1 partition of t (v default 'c', w not null) for values from (0) to (10);
