create schema s;
grant create, usage on schema s to public;
create table s.t (id int, a text);
alter table s.t owner to pg_monitor;
revoke all on s.t from pg_monitor;
grant select on s.t to pg_monitor;
create view s.v as select * from s.t;
grant select on s.v to pg_read_all_data;
alter view s.v owner to pg_read_all_data;
