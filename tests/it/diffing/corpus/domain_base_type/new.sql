create domain d as bigint;
create table t (a d default 1);
create view v as select a from t;
