-- The database, schemas, extensions, rights, languages, access methods, transforms.

--- database: rights
--- changed
grant create on database ":db" to pg_monitor;
--- undone
revoke create on database ":db" from pg_monitor;

--- database: rights
--- changed
revoke connect on database ":db" from public;
--- undone
grant connect on database ":db" to public;

--- database: settings
--- changed
alter database ":db" set work_mem = '8MB';
--- undone
alter database ":db" reset all;

--- database: settings
create role ":db";
--- changed
alter role ":db" in database ":db" set work_mem = '8MB';
--- removed
drop role ":db";

--- database: connection_limit
--- changed
alter database ":db" connection limit 50;

--- note database: locale
--- changed
update pg_database set datctype = 'POSIX' where datname = current_database();

--- unexpected schema s
--- changed
create schema s;
--- undone
drop schema s;

--- missing schema public
--- changed
drop schema public;

--- schema s: owner
--- schema s: comment
--- schema s: rights
--- schema s: security_labels
create schema s;
--- changed
alter schema s owner to pg_monitor; grant usage on schema s to public;
comment on schema s is 'labelled';
:label;

--- schema public: owner
--- schema public: comment
--- schema public: rights
--- changed
alter schema public owner to pg_monitor; grant create on schema public to public;
comment on schema public is 'ours';

--- unexpected extension citext
--- changed
create extension citext;
--- undone
drop extension citext;

--- extension citext: owner
create extension citext;
--- changed
drop extension citext; grant create on schema public to pg_monitor; grant create on database ":db" to pg_monitor;
set role pg_monitor; create extension citext; reset role;
revoke create on schema public from pg_monitor; revoke create on database ":db" from pg_monitor;

--- extension citext: comment
--- extension citext: security_labels
create extension citext;
--- changed
comment on extension citext is 'labelled';
:label;

--- extension citext: schema
create extension citext; create schema s;
--- changed
alter extension citext set schema s;

--- note extension citext: version
create extension citext version '1.5';
--- changed
alter extension citext update to '1.6';

--- unexpected extension citext
--- unexpected function public.f(public.citext)
--- changed
create extension citext; create function f(citext) returns int language sql as 'select 1';

--- unexpected rights to function pg_catalog.pg_sleep(double precision)
--- changed
grant execute on function pg_sleep(float8) to pg_monitor;
--- undone
revoke execute on function pg_sleep(float8) from pg_monitor;

--- rights to function pg_catalog.pg_sleep(double precision): rights
grant execute on function pg_sleep(float8) to pg_monitor;
--- changed
revoke execute on function pg_sleep(float8) from public;

--- unexpected rights to table pg_catalog.pg_class
--- changed
revoke select on pg_class from public;
--- undone
grant select on pg_class to public;

--- unexpected default privileges of <migrator> for tables
--- changed
alter default privileges grant select on tables to pg_monitor;
--- undone
alter default privileges revoke select on tables from pg_monitor;

--- default privileges of <migrator> for tables: rights
alter default privileges grant select on tables to pg_monitor;
--- changed
alter default privileges grant insert on tables to pg_monitor;

--- default privileges of <migrator> for functions in schema s: rights
create schema s; alter default privileges in schema s grant execute on functions to pg_monitor;
--- changed
alter default privileges in schema s grant execute on functions to pg_read_all_data with grant option;

--- unexpected language l
--- changed
create language l handler plpgsql_call_handler;
--- undone
drop language l;

--- language l: owner
--- language l: comment
--- language l: rights
--- language l: security_labels
create trusted language l handler plpgsql_call_handler;
--- changed
alter language l owner to pg_monitor; revoke usage on language l from public;
comment on language l is 'labelled';
:label;

--- language l: trusted
create language l handler plpgsql_call_handler;
--- changed
create or replace trusted language l handler plpgsql_call_handler;

--- language l: handler
create function h() returns language_handler language c as '$libdir/plpgsql', 'plpgsql_call_handler';
create language l handler plpgsql_call_handler;
--- changed
create or replace language l handler h;

--- language l: inline
create language l handler plpgsql_call_handler;
--- changed
create or replace language l handler plpgsql_call_handler inline plpgsql_inline_handler;

--- language l: validator
create language l handler plpgsql_call_handler;
--- changed
create or replace language l handler plpgsql_call_handler validator plpgsql_validator;

--- unexpected access method m
--- changed
create access method m type index handler bthandler;
--- undone
drop access method m;

--- access method m: comment
--- access method m: security_labels
create access method m type index handler bthandler;
--- changed
comment on access method m is 'labelled';
:label;

--- access method m: handler
create access method m type index handler bthandler;
--- changed
drop access method m; create access method m type index handler hashhandler;

--- access method m: sort
--- access method m: handler
create access method m type index handler bthandler;
--- changed
drop access method m; create access method m type table handler heap_tableam_handler;

--- unexpected transform for integer language sql
--- changed
create transform for int language sql (from sql with function prsd_lextype(internal));
--- undone
drop transform for int language sql;

--- transform for integer language sql: comment
--- transform for integer language sql: security_labels
create transform for int language sql (from sql with function prsd_lextype(internal));
--- changed
comment on transform for int language sql is 'labelled';
:label;

--- transform for integer language sql: from_sql
create function f(internal) returns internal language internal immutable as 'prsd_lextype';
create transform for int language sql (from sql with function f(internal));
--- changed
create or replace transform for int language sql (from sql with function prsd_lextype(internal));

--- transform for integer language sql: to_sql
create transform for int language sql (from sql with function prsd_lextype(internal));
--- changed
create or replace transform for int language sql (from sql with function prsd_lextype(internal), to sql with function int4recv(internal));
