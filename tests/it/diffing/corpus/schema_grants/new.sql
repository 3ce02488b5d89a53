create schema s authorization pg_monitor;
grant usage on schema s to public; grant all on schema s to pg_signal_backend with grant option;
create table s.t (a serial); grant all on all tables in schema s to public; grant usage on sequence s.t_a_seq to public;
alter default privileges in schema s grant select on tables to public;
alter default privileges revoke execute on functions from public;
alter default privileges for role pg_monitor grant all on schemas to pg_signal_backend;
create function s.f() returns int language sql as 'select 1';
grant create, connect, temp on database postgres to public;
