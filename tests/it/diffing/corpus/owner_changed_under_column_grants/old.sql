create table t (a int, b int, c int);
alter table t owner to pg_monitor;
grant select (a), update (b) on t to pg_monitor with grant option;
grant select (c) on t to pg_signal_backend;
