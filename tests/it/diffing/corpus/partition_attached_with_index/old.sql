create table t (k int, v text) partition by range (k);
create table t1 (k int, v text, constraint c check (k > 0));
create index i1 on t1 (v);
