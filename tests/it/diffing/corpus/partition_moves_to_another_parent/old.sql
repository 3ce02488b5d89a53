create table t (k int, l int) partition by range (k);
create table a partition of t for values from (0) to (10) partition by list (l);
create table b partition of t for values from (10) to (20) partition by list (l);
create table x partition of a for values in (1);
