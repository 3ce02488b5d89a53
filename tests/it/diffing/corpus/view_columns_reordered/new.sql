create table t (a int, b int);
create view v as select b, a from t;
create view w as select a from v;
grant select on v to pg_monitor;
grant select (a) on w to pg_monitor;
