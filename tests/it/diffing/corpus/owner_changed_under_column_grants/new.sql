create table t (a int, b int, c int);
grant select (a), update (b) on t to pg_monitor with grant option;
grant select (c) on t to pg_signal_backend;
revoke select on t from current_user;
