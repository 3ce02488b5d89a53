create table t (a int, b int);
grant insert on t to pg_monitor;
grant select (a, b), update (b) on t to pg_monitor;
