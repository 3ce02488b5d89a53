create table t (a int, b int);
create materialized view m with (fillfactor = 50) as select a from t where b > 0 with no data;
create unique index i on m (a);
alter materialized view m alter a set statistics 9;
alter materialized view m cluster on i;
create view v as select a from m;
grant select on m to pg_monitor;
comment on materialized view m is 'm';
