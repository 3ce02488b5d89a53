create table t (a int, b int, k int) partition by range (k);
create table t1 (k int, b int, a int);
alter table t attach partition t1 for values from (0) to (10);
