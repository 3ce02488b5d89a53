create table t (a int, b int, c int, d int);
grant select (a), update (b) on t to pg_monitor;
grant select (c) on t to pg_monitor, pg_signal_backend;
