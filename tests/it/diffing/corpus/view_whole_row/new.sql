create table t (a int, b int);
create view v as select t from t;
