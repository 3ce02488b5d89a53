create table t (a int);
grant select (proname, tableoid, ctid) on pg_proc to pg_monitor;
grant select (tableoid) on pg_type to public;
revoke select on pg_namespace from public;
grant select (nspname) on pg_namespace to public;
