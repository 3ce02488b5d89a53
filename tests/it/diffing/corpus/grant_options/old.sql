create table t (a int);
grant select on t to pg_monitor with grant option;
