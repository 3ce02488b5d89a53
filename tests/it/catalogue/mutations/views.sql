-- Views, composite types and sequences.

--- unexpected view public.v
--- unexpected column public.v.a
--- changed
create view v as select 1 as a;
--- undone
drop view v;

--- view public.v: owner
--- view public.v: comment
--- view public.v: rights
--- view public.v: security_labels
create view v as select;
--- changed
alter view v owner to pg_monitor; grant select on v to pg_read_all_data;
comment on view v is 'labelled';
:label;

--- view public.v: definition
create view v as select 1 as a;
--- changed
create or replace view v as select 2 as a;

--- view public.v: options
create view v as select;
--- changed
alter view v set (security_invoker = on);
--- undone
alter view v reset (security_invoker);

--- unexpected materialized view public.m
--- unexpected column public.m.a
--- changed
create materialized view m as select 1 as a;
--- undone
drop materialized view m;

--- materialized view public.m: owner
--- materialized view public.m: comment
--- materialized view public.m: rights
--- materialized view public.m: security_labels
--- materialized view public.m: extensions
create materialized view m as select;
--- changed
alter materialized view m owner to pg_monitor; grant select on m to pg_read_all_data;
alter materialized view m depends on extension plpgsql;
comment on materialized view m is 'labelled';
:label;

--- materialized view public.m: definition
create materialized view m as select 1 as a;
--- changed
drop materialized view m; create materialized view m as select 2 as a;

--- materialized view public.m: unpopulated
create materialized view m as select;
--- changed
refresh materialized view m with no data;
--- undone
refresh materialized view m;

--- materialized view public.m: options
create materialized view m as select;
--- changed
alter materialized view m set (fillfactor = 70);

--- materialized view public.m: options
create materialized view m as select 'a' as a;
--- changed
alter materialized view m set (toast.autovacuum_enabled = off);

--- materialized view public.m: replica_identity
create materialized view m as select;
--- changed
alter table m replica identity full;

--- materialized view public.m: access_method
create access method other type table handler heap_tableam_handler; create materialized view m as select;
--- changed
alter materialized view m set access method other;

--- materialized view public.m: tablespace
set allow_in_place_tablespaces = on;
create tablespace ":db" location '';
create materialized view m as select;
--- changed
alter materialized view m set tablespace ":db";
--- removed
drop materialized view m;
drop tablespace ":db";


--- unexpected composite type public.y
--- changed
create type y as ();
--- undone
drop type y;

--- composite type public.y: owner
--- composite type public.y: comment
--- composite type public.y: rights
--- composite type public.y: security_labels
create type y as ();
--- changed
alter type y owner to pg_monitor; grant usage on type y to pg_read_all_data;
comment on type y is 'labelled';
:label;

--- unexpected sequence public.s
--- changed
create sequence s;
--- undone
drop sequence s;

--- sequence public.s: owner
--- sequence public.s: comment
--- sequence public.s: rights
--- sequence public.s: security_labels
create sequence s;
--- changed
alter sequence s owner to pg_monitor; grant usage on sequence s to pg_read_all_data;
comment on sequence s is 'labelled';
:label;

--- sequence public.s: data_type
create sequence s maxvalue 100;
--- changed
alter sequence s as int;

--- sequence public.s: start
create sequence s;
--- changed
alter sequence s start 5;

--- sequence public.s: increment
create sequence s;
--- changed
alter sequence s increment 2;

--- sequence public.s: minimum
create sequence s;
--- changed
alter sequence s minvalue 0;

--- sequence public.s: maximum
create sequence s;
--- changed
alter sequence s maxvalue 100;

--- sequence public.s: cache
create sequence s;
--- changed
alter sequence s cache 2;

--- sequence public.s: cycle
create sequence s;
--- changed
alter sequence s cycle;

--- sequence public.s: unlogged
create sequence s;
--- changed
alter sequence s set unlogged;

--- sequence public.s: owned_by
create table t (a int); create sequence s;
--- changed
alter sequence s owned by t.a;
--- undone
alter sequence s owned by none;

--- column public.t.a: default
--- column public.t.a: identity
--- sequence public.t_a_seq: identity
create table t (a serial);
--- changed
drop sequence t_a_seq cascade; alter table t alter a add generated always as identity; alter sequence t_a_seq as int;
