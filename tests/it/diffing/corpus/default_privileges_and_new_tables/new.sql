alter default privileges grant select on tables to pg_monitor;
create table t (a int);
create table u (a int);
revoke all on u from pg_monitor;
