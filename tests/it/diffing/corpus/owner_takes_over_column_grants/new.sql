create table t (a int, b int, c int, d int);
alter table t owner to pg_monitor;
grant select (c) on t to pg_signal_backend;
grant select (d) on t to pg_monitor;
