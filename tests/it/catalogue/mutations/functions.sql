-- Functions, procedures and aggregates.

--- unexpected function public.f(integer)
--- changed
create function f(int) returns int language sql as 'select 1';
--- undone
drop function f;

--- unexpected function public.p()
--- changed
create procedure p() language sql as '';
--- undone
drop procedure p;

--- function public.f(): owner
--- function public.f(): comment
--- function public.f(): rights
--- function public.f(): security_labels
--- function public.f(): extensions
create function f() returns int language sql as 'select 1';
--- changed
alter function f owner to pg_monitor; revoke execute on function f from public;
alter function f depends on extension plpgsql;
comment on function f is 'labelled';
:label;

--- function public.f(): sort
--- function public.f(): returns
create function f() returns void language sql as '';
--- changed
drop function f; create procedure f() language sql as '';

--- function public.f(integer): arguments
create function f(a int) returns int language sql as 'select 1';
--- changed
create or replace function f(a int = 1) returns int language sql as 'select 1';

--- function public.f(integer): arguments
create function f(a int) returns int language sql as 'select 1';
--- changed
drop function f; create function f(b int) returns int language sql as 'select 1';

--- function public.f(): returns
create function f() returns int language sql as 'select 1';
--- changed
drop function f; create function f() returns setof int language sql as 'select 1';

--- function public.f(): language
create function f() returns int language sql as 'select 1';
--- changed
set check_function_bodies = off; create or replace function f() returns int language plpgsql as 'select 1';

--- function public.f(): body
create function f() returns int language sql as 'select 1';
--- changed
create or replace function f() returns int language sql as 'select  1';

--- function public.f(): body
--- function public.f(): sql_body
create function f() returns int language sql as 'select 1';
--- changed
create or replace function f() returns int language sql return 1;

--- function public.f(): library
create function f() returns trigger language c as '$libdir/plpgsql', 'plpgsql_call_handler';
--- changed
create or replace function f() returns trigger language c as 'plpgsql', 'plpgsql_call_handler';

--- function public.f(): volatility
create function f() returns int language sql as 'select 1';
--- changed
alter function f stable;

--- function public.f(): strict
create function f() returns int language sql as 'select 1';
--- changed
alter function f strict;

--- function public.f(): security_definer
create function f() returns int language sql as 'select 1';
--- changed
alter function f security definer;

--- function public.f(): leakproof
create function f() returns int language sql as 'select 1';
--- changed
alter function f leakproof;

--- function public.f(): parallel
create function f() returns int language sql as 'select 1';
--- changed
alter function f parallel safe;

--- function public.f(): cost
create function f() returns int language sql as 'select 1';
--- changed
alter function f cost 5;

--- function public.f(): rows
create function f() returns setof int language sql as 'select 1';
--- changed
alter function f rows 5;

--- function public.f(text, text): support
create function f(text, text) returns bool language sql as 'select true';
--- changed
alter function f support text_starts_with_support;

--- function public.f(): settings
create function f() returns int language sql as 'select 1';
--- changed
alter function f set search_path = '';

--- function public.f(): transforms
create function g(internal) returns internal language internal immutable as 'prsd_lextype';
create transform for int language plpgsql (from sql with function g(internal));
create function f() returns int language plpgsql as 'begin return 1; end';
--- changed
create or replace function f() returns int transform for type int language plpgsql as 'begin return 1; end';

--- unexpected aggregate public.a(integer)
--- changed
create aggregate a(int) (sfunc = int4pl, stype = int);
--- undone
drop aggregate a(int);

--- aggregate public.a(integer): owner
--- aggregate public.a(integer): comment
--- aggregate public.a(integer): rights
--- aggregate public.a(integer): security_labels
create aggregate a(int) (sfunc = int4pl, stype = int);
--- changed
alter aggregate a(int) owner to pg_monitor; revoke execute on function a from public;
comment on aggregate a(int) is 'labelled';
:label;

--- aggregate public.a(integer): arguments
create aggregate a(x int) (sfunc = int4pl, stype = int);
--- changed
drop aggregate a(int); create aggregate a(y int) (sfunc = int4pl, stype = int);

--- aggregate public.a(integer): returns
--- aggregate public.a(integer): options
create aggregate a(int) (sfunc = int4pl, stype = int);
create function f(int) returns text language sql as $$ select ''::text $$;
--- changed
drop aggregate a(int); create aggregate a(int) (sfunc = int4pl, stype = int, finalfunc = f);

--- aggregate public.a(integer): ordered_set
--- aggregate public.a(integer): arguments
--- aggregate public.a(integer): options
create aggregate a(int) (sfunc = int4pl, stype = int);
--- changed
drop aggregate a(int); create aggregate a(order by int) (sfunc = int4pl, stype = int);

--- aggregate public.a(integer): options
--- aggregate public.a(integer): returns
--- aggregate public.a(integer): state
create aggregate a(int) (sfunc = int4pl, stype = int);
--- changed
drop aggregate a(int); create aggregate a(int) (sfunc = int84pl, stype = int8, initcond = '0');

--- aggregate public.a(integer): options
create aggregate a(int) (sfunc = int4pl, stype = int);
--- changed
create or replace aggregate a(int) (sfunc = int4pl, stype = int, initcond = '0');
