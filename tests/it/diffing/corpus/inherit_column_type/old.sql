create table p (a int);
create table t (b int) inherits (p);
create view v as select a from t;
