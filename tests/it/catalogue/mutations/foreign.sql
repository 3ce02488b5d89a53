-- Foreign servers and text search.

--- unexpected foreign-data wrapper w
--- changed
create foreign data wrapper w;
--- undone
drop foreign data wrapper w;

--- foreign-data wrapper w: comment
--- foreign-data wrapper w: rights
--- foreign-data wrapper w: security_labels
create foreign data wrapper w;
--- changed
grant usage on foreign data wrapper w to pg_monitor;
comment on foreign data wrapper w is 'labelled';
:label;

--- foreign-data wrapper w: owner
create foreign data wrapper w;
--- changed
update pg_foreign_data_wrapper set fdwowner = 'pg_monitor'::regrole;

--- foreign-data wrapper w: handler
create extension file_fdw; create foreign data wrapper w;
--- changed
alter foreign data wrapper w handler file_fdw_handler;

--- foreign-data wrapper w: validator
create foreign data wrapper w;
--- changed
alter foreign data wrapper w validator postgresql_fdw_validator;

--- foreign-data wrapper w: options
create foreign data wrapper w;
--- changed
alter foreign data wrapper w options (a 'x');

--- unexpected server s
create foreign data wrapper w;
--- changed
create server s foreign data wrapper w;
--- undone
drop server s;

--- server s: owner
--- server s: comment
--- server s: rights
--- server s: security_labels
create foreign data wrapper w; create server s foreign data wrapper w;
--- changed
grant usage on foreign data wrapper w to pg_monitor; alter server s owner to pg_monitor;
revoke usage on foreign data wrapper w from pg_monitor;
grant usage on foreign server s to pg_read_all_data;
comment on server s is 'labelled';
:label;

--- server s: wrapper
create foreign data wrapper w; create foreign data wrapper x; create server s foreign data wrapper w;
--- changed
drop server s; create server s foreign data wrapper x;

--- server s: server_type
create foreign data wrapper w; create server s type 'a' foreign data wrapper w;
--- changed
drop server s; create server s type 'b' foreign data wrapper w;

--- server s: server_version
create foreign data wrapper w; create server s foreign data wrapper w;
--- changed
alter server s version '2';

--- server s: options
create foreign data wrapper w; create server s foreign data wrapper w;
--- changed
alter server s options (host 'x');

--- unexpected user mapping of pg_monitor on server s
create foreign data wrapper w; create server s foreign data wrapper w;
--- changed
create user mapping for pg_monitor server s;
--- undone
drop user mapping for pg_monitor server s;

--- user mapping of public on server s: options
create foreign data wrapper w; create server s foreign data wrapper w; create user mapping for public server s options (password 'a');
--- changed
alter user mapping for public server s options (set password 'b', "user" 'c');

--- unexpected text search parser public.p
--- changed
create text search parser p (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype);
--- undone
drop text search parser p;

--- text search parser public.p: comment
--- text search parser public.p: security_labels
create text search parser p (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype);
--- changed
comment on text search parser p is 'labelled';
:label;

--- text search parser public.p: functions
create text search parser p (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype);
--- changed
drop text search parser p;
create text search parser p (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype, headline = prsd_headline);

--- unexpected text search template public.t
--- changed
create text search template t (lexize = dsimple_lexize);
--- undone
drop text search template t;

--- text search template public.t: comment
--- text search template public.t: security_labels
create text search template t (lexize = dsimple_lexize);
--- changed
comment on text search template t is 'labelled';
:label;

--- text search template public.t: functions
create text search template t (lexize = dsimple_lexize);
--- changed
drop text search template t; create text search template t (init = dsimple_init, lexize = dsimple_lexize);

--- unexpected text search dictionary public.d
--- changed
create text search dictionary d (template = simple);
--- undone
drop text search dictionary d;

--- text search dictionary public.d: owner
--- text search dictionary public.d: comment
--- text search dictionary public.d: security_labels
create text search dictionary d (template = simple);
--- changed
alter text search dictionary d owner to pg_monitor;
comment on text search dictionary d is 'labelled';
:label;

--- text search dictionary public.d: template
--- unexpected text search template public.t
create text search dictionary d (template = simple);
--- changed
drop text search dictionary d; create text search template t (lexize = dsimple_lexize); create text search dictionary d (template = t);

--- text search dictionary public.d: options
create text search dictionary d (template = simple);
--- changed
alter text search dictionary d (accept = false);

--- unexpected text search configuration public.c
--- changed
create text search configuration c (copy = simple);
--- undone
drop text search configuration c;

--- text search configuration public.c: owner
--- text search configuration public.c: comment
--- text search configuration public.c: security_labels
create text search configuration c (copy = simple);
--- changed
alter text search configuration c owner to pg_monitor;
comment on text search configuration c is 'labelled';
:label;

--- text search configuration public.c: parser
create text search parser p (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype);
create text search configuration c (parser = default);
--- changed
drop text search configuration c; create text search configuration c (parser = p);

--- text search configuration public.c: mappings
create text search configuration c (copy = simple);
--- changed
alter text search configuration c alter mapping for word with english_stem, simple;
