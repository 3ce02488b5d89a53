create table t (a int, b int);
grant select, insert on t to pg_monitor;
grant update (a) on t to pg_monitor;
