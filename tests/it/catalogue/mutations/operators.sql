-- Operators with their classes and families, casts and conversions.

--- unexpected operator public.===(integer, integer)
--- changed
create operator === (leftarg = int, rightarg = int, function = int4eq);
--- undone
drop operator === (int, int);

--- operator public.===(integer, integer): owner
--- operator public.===(integer, integer): comment
--- operator public.===(integer, integer): security_labels
create operator === (leftarg = int, rightarg = int, function = int4eq);
--- changed
alter operator === (int, int) owner to pg_monitor;
comment on operator === (int, int) is 'labelled';
:label;

--- operator public.===(integer, integer): function
create operator === (leftarg = int, rightarg = int, function = int4eq);
--- changed
drop operator === (int, int); create operator === (leftarg = int, rightarg = int, function = int4ne);

--- operator public.+*(integer, integer): function
--- operator public.+*(integer, integer): returns
create operator +* (leftarg = int, rightarg = int, function = int4eq);
--- changed
drop operator +* (int, int); create operator +* (leftarg = int, rightarg = int, function = int4pl);

--- operator public.===(integer, integer): commutator
create operator === (leftarg = int, rightarg = int, function = int4eq);
--- changed
drop operator === (int, int); create operator === (leftarg = int, rightarg = int, function = int4eq, commutator = ===);

--- operator public.===(integer, integer): negator
--- unexpected operator public.<<>>(integer, integer)
create operator === (leftarg = int, rightarg = int, function = int4eq);
--- changed
drop operator === (int, int); create operator === (leftarg = int, rightarg = int, function = int4eq, negator = <<>>);

--- operator public.===(integer, integer): restrict
create operator === (leftarg = int, rightarg = int, function = int4eq);
--- changed
alter operator === (int, int) set (restrict = eqsel);

--- operator public.===(integer, integer): join
create operator === (leftarg = int, rightarg = int, function = int4eq);
--- changed
alter operator === (int, int) set (join = eqjoinsel);

--- operator public.===(integer, integer): hashes
create operator === (leftarg = int, rightarg = int, function = int4eq);
--- changed
drop operator === (int, int); create operator === (leftarg = int, rightarg = int, function = int4eq, hashes);

--- operator public.===(integer, integer): merges
create operator === (leftarg = int, rightarg = int, function = int4eq);
--- changed
drop operator === (int, int); create operator === (leftarg = int, rightarg = int, function = int4eq, merges);

--- unexpected operator family public.f(btree)
--- changed
create operator family f using btree;
--- undone
drop operator family f using btree;

--- operator family public.f(btree): owner
--- operator family public.f(btree): comment
--- operator family public.f(btree): security_labels
create operator family f using btree;
--- changed
alter operator family f using btree owner to pg_monitor;
comment on operator family f using btree is 'labelled';
:label;

--- operator family public.f(btree): operators
create operator family f using btree;
--- changed
alter operator family f using btree add operator 1 < (int, int);

--- operator family public.f(gist): operators
create operator family f using gist; create operator family float_ops using btree;
alter operator family f using gist add operator 15 <-> (point, point) for order by pg_catalog.float_ops;
--- changed
drop operator family f using gist; create operator family f using gist;
alter operator family f using gist add operator 15 <-> (point, point) for order by public.float_ops;

--- operator family public.f(btree): functions
create operator family f using btree;
--- changed
alter operator family f using btree add function 1 (int, int) btint4cmp(int, int);

--- unexpected operator class public.c(btree)
create operator family f using btree;
--- changed
create operator class c for type int using btree family f as storage int;
--- undone
drop operator class c using btree;

--- operator class public.c(btree): owner
--- operator class public.c(btree): comment
--- operator class public.c(btree): security_labels
create operator family f using btree; create operator class c for type int using btree family f as storage int;
--- changed
alter operator class c using btree owner to pg_monitor;
comment on operator class c using btree is 'labelled';
:label;

--- operator class public.c(btree): data_type
create operator family f using btree; create operator class c for type int using btree family f as storage int;
--- changed
drop operator class c using btree; create operator class c for type int8 using btree family f as storage int8;

--- operator class public.c(btree): family
create operator family f using btree; create operator family g using btree;
create operator class c for type int using btree family f as storage int;
--- changed
drop operator class c using btree; create operator class c for type int using btree family g as storage int;

--- operator class public.c(btree): default
create operator family f using btree; create type e as enum ();
create operator class c for type e using btree family f as storage e;
--- changed
drop operator class c using btree; create operator class c default for type e using btree family f as storage e;

--- operator class public.c(gist): stored_type
create operator family f using gist; create operator class c for type polygon using gist family f as storage polygon;
--- changed
drop operator class c using gist; create operator class c for type polygon using gist family f as storage box;

--- operator class public.c(btree): operators
create operator family f using btree; create operator class c for type int using btree family f as storage int;
--- changed
drop operator class c using btree; create operator class c for type int using btree family f as operator 1 <;

--- operator class public.c(btree): functions
create operator family f using btree; create operator class c for type int using btree family f as storage int;
--- changed
drop operator class c using btree; create operator class c for type int using btree family f as function 1 btint4cmp(int, int);

--- unexpected cast (public.e as integer)
create type e as enum ();
--- changed
create cast (e as int) with inout;
--- undone
drop cast (e as int);

--- cast (public.e as integer): comment
--- cast (public.e as integer): security_labels
create type e as enum (); create cast (e as int) with inout;
--- changed
comment on cast (e as int) is 'labelled';
:label;

--- cast (public.e as integer): function
create type e as enum (); create function f(e) returns int language sql as 'select 1';
create function g(e) returns int language sql as 'select 1'; create cast (e as int) with function f(e);
--- changed
drop cast (e as int); create cast (e as int) with function g(e);

--- cast (public.e as integer): method
--- cast (public.e as integer): function
create type e as enum (); create function f(e) returns int language sql as 'select 1'; create cast (e as int) with inout;
--- changed
drop cast (e as int); create cast (e as int) with function f(e);

--- cast (public.e as integer): context
create type e as enum (); create cast (e as int) with inout;
--- changed
drop cast (e as int); create cast (e as int) with inout as assignment;

--- unexpected conversion public.c
--- changed
create conversion c for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;
--- undone
drop conversion c;

--- conversion public.c: owner
--- conversion public.c: comment
--- conversion public.c: security_labels
create conversion c for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;
--- changed
alter conversion c owner to pg_monitor;
comment on conversion c is 'labelled';
:label;

--- conversion public.c: encodings
--- conversion public.c: function
create conversion c for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;
--- changed
drop conversion c; create conversion c for 'UTF8' to 'LATIN1' from utf8_to_iso8859_1;

--- conversion public.c: default
create conversion c for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;
--- changed
drop conversion c; create default conversion c for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;
