-- Types and collations.

--- unexpected enum public.e
--- changed
create type e as enum ('a');
--- undone
drop type e;

--- enum public.e: owner
--- enum public.e: comment
--- enum public.e: rights
--- enum public.e: security_labels
create type e as enum ('a');
--- changed
alter type e owner to pg_monitor; revoke usage on type e from public;
comment on type e is 'labelled';
:label;

--- enum public.e: labels
create type e as enum ('a', 'b');
--- changed
alter type e add value 'c' before 'b';

--- unexpected domain public.d
--- changed
create domain d as int;
--- undone
drop domain d;

--- domain public.d: owner
--- domain public.d: comment
--- domain public.d: rights
--- domain public.d: security_labels
create domain d as int;
--- changed
alter domain d owner to pg_monitor; revoke usage on domain d from public;
comment on domain d is 'labelled';
:label;

--- domain public.d: data_type
create domain d as varchar(5);
--- changed
drop domain d; create domain d as varchar(6);

--- domain public.d: collation
create domain d as text;
--- changed
drop domain d; create domain d as text collate "C";

--- domain public.d: default
create domain d as int default 1;
--- changed
alter domain d set default 2;

--- unexpected range public.r
--- changed
create type r as range (subtype = int);
--- undone
drop type r;

--- range public.r: owner
--- range public.r: comment
--- range public.r: rights
--- range public.r: security_labels
create type r as range (subtype = int);
--- changed
alter type r owner to pg_monitor; revoke usage on type r from public;
comment on type r is 'labelled';
:label;

--- range public.r: subtype
create type r as range (subtype = int);
--- changed
drop type r; create type r as range (subtype = float8);

--- range public.r: operator_class
create type r as range (subtype = text);
--- changed
drop type r; create type r as range (subtype = text, subtype_opclass = text_pattern_ops);

--- range public.r: collation
create type r as range (subtype = text);
--- changed
drop type r; create type r as range (subtype = text, collation = "C");

--- range public.r: canonical
create type r as range (subtype = float8);
--- changed
update pg_range set rngcanonical = 'int4range_canonical'::regproc where rngtypid = 'r'::regtype;

--- range public.r: subtype_diff
create type r as range (subtype = float8);
--- changed
drop type r; create type r as range (subtype = float8, subtype_diff = float8mi);

--- range public.r: multirange
create type r as range (subtype = float8);
--- changed
drop type r; create type r as range (subtype = float8, multirange_type_name = rs);

--- unexpected base type public.b
--- changed
create type b;
--- undone
drop type b;

--- base type public.b: owner
--- base type public.b: comment
--- base type public.b: rights
--- base type public.b: security_labels
create type b; create function i(cstring) returns b language internal as 'int4in' immutable strict;
create function o(b) returns cstring language internal as 'int4out' immutable strict;
create type b (input = i, output = o, like = int4);
--- changed
alter type b owner to pg_monitor; revoke usage on type b from public;
comment on type b is 'labelled';
:label;

--- base type public.b: shell
--- base type public.b: functions
--- base type public.b: options
create type b; create function i(cstring) returns b language internal as 'int4in' immutable strict;
create function o(b) returns cstring language internal as 'int4out' immutable strict;
--- changed
create type b (input = i, output = o, like = int4);

--- base type public.b: functions
create type b; create function i(cstring) returns b language internal as 'int4in' immutable strict;
create function o(b) returns cstring language internal as 'int4out' immutable strict;
create function r(internal) returns b language internal as 'int4recv' immutable strict;
create type b (input = i, output = o, like = int4);
--- changed
alter type b set (receive = r);

--- base type public.b: options
create type b; create function i(cstring) returns b language internal as 'int4in' immutable strict;
create function o(b) returns cstring language internal as 'int4out' immutable strict;
create type b (input = i, output = o, internallength = variable);
--- changed
alter type b set (storage = extended);

--- base type public.b: default
create type b; create function i(cstring) returns b language internal as 'int4in' immutable strict;
create function o(b) returns cstring language internal as 'int4out' immutable strict;
create type b (input = i, output = o, like = int4);
--- changed
update pg_type set typdefault = '5' where oid = 'b'::regtype;

--- unexpected collation public.c
--- changed
create collation c (provider = libc, locale = 'C');
--- undone
drop collation c;

--- collation public.c: owner
--- collation public.c: comment
--- collation public.c: security_labels
create collation c (provider = libc, locale = 'C');
--- changed
alter collation c owner to pg_monitor;
comment on collation c is 'labelled';
:label;

--- collation public.c: provider
create collation c (provider = libc, locale = 'C');
--- changed
update pg_collation set collprovider = 'i' where collname = 'c';

--- collation public.c: libc_locale
create collation c (provider = libc, locale = 'C');
--- changed
drop collation c; create collation c (provider = libc, lc_collate = 'C', lc_ctype = 'POSIX');

--- from 17
--- collation public.c: locale
create collation c (provider = builtin, locale = 'C');
--- changed
drop collation c; create collation c (provider = builtin, locale = 'C.UTF-8');

--- from 16
--- collation public.c: rules
create collation c (provider = libc, locale = 'C');
--- changed
update pg_collation set collicurules = '&a < g' where collname = 'c';

--- collation public.c: nondeterministic
create collation c (provider = libc, locale = 'C');
--- changed
update pg_collation set collisdeterministic = false where collname = 'c';
