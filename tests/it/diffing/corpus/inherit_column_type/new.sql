create table p (a bigint);
create table t (b int) inherits (p);
create view v as select a from t;
