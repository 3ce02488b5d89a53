create table t (a int, b text, constraint other primary key (a));
create view v as select a, b from t group by a;
