create table notes (id integer, body text);
grant select on notes to pg_signal_backend with grant option;
set session authorization pg_signal_backend;
grant select on notes to pg_monitor with grant option;
set session authorization pg_monitor;
grant select on notes to pg_database_owner with grant option;
set session authorization pg_database_owner;
grant select on notes to pg_checkpoint;
reset session authorization;
