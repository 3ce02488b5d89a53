create table t (a int, b int);
create materialized view m as select a from t;
create unique index i on m (a);
alter materialized view m alter a set statistics 9;
alter materialized view m cluster on i;
create view v as select a from m;
grant select on m to pg_monitor;
comment on materialized view m is 'm';
