create table t (k int not null, v text) partition by range (k);
create table t1 partition of t for values from (0) to (10);
create table t2 partition of t for values from (10) to (20) partition by list (v);
create table t2a partition of t2 for values in ('a');
create index on t (k);
create view vv as select k from t;
