create table t (a int, b int generated always as (a + 2) stored);
create index i on t (b);
create view v as select b from t;
