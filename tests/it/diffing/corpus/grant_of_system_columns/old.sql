create table notes (id int, body text);
grant select (id) on notes to pg_monitor;
