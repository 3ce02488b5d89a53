create table t (k int primary key, v text) partition by range (k);
create table t1 (k int primary key, v text);
alter table t attach partition t1 for values from (1) to (5);
