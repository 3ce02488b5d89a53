create table t (a int, b int, c int);
grant select (a, c) on t to pg_monitor;
grant update (b) on t to pg_monitor with grant option;
revoke insert on t from current_user;
grant references on t to public;
