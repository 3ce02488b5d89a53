create table t (a int);
grant select on t to pg_monitor with grant option;
set session authorization pg_monitor;
grant select on t to pg_read_all_data;
reset session authorization;
