create table t (k int, v text) partition by range (k);
create table t1 (k int, v text, constraint c check (k > 0));
create index i1 on t1 (v);
create index i on t (v);
alter table t attach partition t1 for values from (1) to (5);
