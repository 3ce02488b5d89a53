create table t (k int) partition by range (k);
create table t1 partition of t for values from (0) to (10);
alter table t1 add constraint c check (k > 0);
