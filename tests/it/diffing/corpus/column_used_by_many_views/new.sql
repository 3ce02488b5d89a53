create table t (b int);
create view v1 as select b as a from t;
create view v2 as select a from v1;
create view v3 as select v1.a, v2.a as b from v1 join v2 using (a);
create view v4 as select count(*) from v3;
