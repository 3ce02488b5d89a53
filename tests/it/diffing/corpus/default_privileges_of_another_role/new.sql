alter default privileges for role pg_monitor grant usage on sequences to pg_read_all_data;
alter default privileges for role pg_monitor in schema public grant usage on types to pg_read_all_data with grant option;
alter default privileges for role pg_monitor revoke usage on types from public;
