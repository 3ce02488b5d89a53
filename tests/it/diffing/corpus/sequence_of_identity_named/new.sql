create table t (a int generated always as identity (sequence name y start 7));
grant usage on sequence y to pg_monitor;
