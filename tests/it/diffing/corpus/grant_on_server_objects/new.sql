grant execute on function pg_sleep(float8) to pg_monitor;
revoke select on pg_catalog.pg_stats from public;
