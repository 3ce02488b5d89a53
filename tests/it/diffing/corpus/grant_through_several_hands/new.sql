create table notes (id integer, body text);
grant select on notes to pg_signal_backend with grant option;
