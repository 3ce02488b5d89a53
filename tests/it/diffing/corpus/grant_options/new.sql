create table t (a int);
grant select on t to pg_monitor;
grant all on t to pg_read_all_data;
