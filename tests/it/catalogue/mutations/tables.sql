-- Tables and foreign tables.

--- unexpected table public.t
--- changed
create table t ();
--- undone
drop table t;

--- unexpected table information_schema.t
--- changed
create table information_schema.t ();
--- undone
drop table information_schema.t;

--- unexpected table pg_catalog.t
set allow_system_table_mods = on;
--- changed
create table pg_catalog.t ();
--- undone
drop table pg_catalog.t;

--- table public.t: owner
--- table public.t: comment
--- table public.t: rights
--- table public.t: security_labels
create table t ();
--- changed
alter table t owner to pg_monitor; grant select on t to pg_read_all_data;
comment on table t is 'labelled';
:label;

--- table public.t: unlogged
create table t ();
--- changed
alter table t set unlogged;
--- undone
alter table t set logged;

--- table public.t: partitioned_by
create table t (a int, b int) partition by range (a);
--- changed
drop table t; create table t (a int, b int) partition by range (b);

--- table public.p: partition
create table t (a int) partition by range (a); create table p partition of t for values from (1) to (2);
--- changed
alter table t detach partition p; alter table t attach partition p for values from (1) to (3);

--- column public.p.a: inherited
--- table public.p: inherits
--- table public.p: partition
create table t (a int) partition by range (a); create table p partition of t for values from (1) to (2);
--- changed
alter table t detach partition p;

--- table public.c: inherits
create table p (); create table q (); create table c () inherits (p, q);
--- changed
alter table c no inherit p; alter table c inherit p;

--- table public.t: of_type
create type y as (a int); create table t of y;
--- changed
alter table t not of;
--- undone
alter table t of y;

--- table public.t: row_security
create table t ();
--- changed
alter table t enable row level security;
--- undone
alter table t disable row level security;

--- table public.t: forced_row_security
create table t ();
--- changed
alter table t force row level security;
--- undone
alter table t no force row level security;

--- table public.t: replica_identity
create table t ();
--- changed
alter table t replica identity full;
--- undone
alter table t replica identity default;

--- table public.t: options
create table t ();
--- changed
alter table t set (fillfactor = 70);
--- undone
alter table t reset (fillfactor);

--- table public.t: options
create table t (a text);
--- changed
alter table t set (toast.autovacuum_enabled = off);
--- undone
alter table t reset (toast.autovacuum_enabled);

--- table public.t: access_method
create access method other type table handler heap_tableam_handler; create table t ();
--- changed
alter table t set access method other;
--- undone
alter table t set access method heap;

--- table public.t: tablespace
set allow_in_place_tablespaces = on;
create tablespace ":db" location '';
create table t ();
--- changed
alter table t set tablespace ":db";
--- undone
alter table t set tablespace pg_default;
--- removed
drop tablespace ":db";

--- unexpected column public.t.a
--- unexpected foreign table public.t
create foreign data wrapper w; create server s foreign data wrapper w;
--- changed
create foreign table t (a int) server s;
--- undone
drop foreign table t;

--- foreign table public.t: owner
--- foreign table public.t: comment
--- foreign table public.t: rights
--- foreign table public.t: security_labels
create foreign data wrapper w; create server s foreign data wrapper w; create foreign table t () server s;
--- changed
alter foreign table t owner to pg_monitor; grant select on t to pg_read_all_data;
comment on foreign table t is 'labelled';
:label;

--- foreign table public.t: server
create foreign data wrapper w; create server s foreign data wrapper w; create server r foreign data wrapper w;
create foreign table t () server s;
--- changed
drop foreign table t; create foreign table t () server r;

--- foreign table public.t: options
create foreign data wrapper w; create server s foreign data wrapper w; create foreign table t () server s options (a 'x');
--- changed
alter foreign table t options (set a 'y');

--- foreign table public.f: partition
create foreign data wrapper w; create server s foreign data wrapper w;
create table t (a int) partition by range (a); create foreign table f partition of t for values from (1) to (2) server s;
--- changed
alter table t detach partition f; alter table t attach partition f for values from (1) to (3);

--- foreign table public.f: inherits
create foreign data wrapper w; create server s foreign data wrapper w;
create table p (); create foreign table f () server s;
--- changed
alter foreign table f inherit p;
--- undone
alter foreign table f no inherit p;
