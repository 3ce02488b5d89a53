create table t (a int, b int);
create sequence s owned by t.b;
grant usage on sequence s to pg_monitor;
