create domain d as int;
create table t (a d default 1);
create view v as select a from t;
