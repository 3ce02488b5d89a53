create table t (a int, b int, c int);
create index i on t (a, b);
alter table t add constraint k unique (a, b), add constraint ch check (a > b);
create statistics st on a, b from t;
create view v as select a, b from t;
