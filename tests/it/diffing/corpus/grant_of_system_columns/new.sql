create table notes (id int, body text);
grant select (id, tableoid, ctid) on notes to pg_monitor;
grant select (xmin) on notes to pg_read_all_stats with grant option;
