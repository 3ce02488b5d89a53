create table t (a int, b int, c int);
grant select, update on t to pg_monitor;
grant insert (a, b) on t to pg_monitor;
