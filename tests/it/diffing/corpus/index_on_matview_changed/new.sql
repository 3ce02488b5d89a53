create table t (a int, b int);
create materialized view m as select a, b from t;
create unique index i on m (b) where a > 0;
