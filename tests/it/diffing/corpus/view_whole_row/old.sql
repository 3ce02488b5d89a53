create table t (a int);
create view v as select t from t;
