create table t (a int, c int);
create index i on t (a, c);
alter table t add constraint k unique (a, c), add constraint ch check (a > c);
create statistics st on a, c from t;
create view v as select a, c from t;
