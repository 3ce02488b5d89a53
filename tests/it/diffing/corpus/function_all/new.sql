create function f(a int, b text default 'x', out c int, variadic d text[] default '{}') language sql immutable strict security definer leakproof parallel safe cost 7 as $$ select 1; $$;
create function s() returns setof int language sql rows 5 set search_path = '' set work_mem = '1MB' as 'select 1';
create procedure p(inout a int) language plpgsql as $$ begin null; end $$;
create function q(x int) returns table (y int, z text) language plpgsql as $$ begin return; end $$;
create function at(int) returns int language sql begin atomic select $1 + 1; end;
create function r(int) returns int language sql return $1;
create function pgx(int) returns int language sql set search_path = public, pg_temp set datestyle = 'ISO, DMY' as 'select $1';
