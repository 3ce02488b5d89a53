create table t (a int, b bigint);
create view v as select a, b from t;
grant select (a), update (b) on v to pg_monitor;
comment on column v.b is 'b';
