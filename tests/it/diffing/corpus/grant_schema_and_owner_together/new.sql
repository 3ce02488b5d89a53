create schema s authorization pg_monitor;
grant usage on schema s to pg_read_all_data;
create table s.t (a int);
alter table s.t owner to pg_monitor;
grant select on s.t to pg_read_all_data;
revoke insert on s.t from pg_monitor;
