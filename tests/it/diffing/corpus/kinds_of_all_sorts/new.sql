-- An object of nearly every kind.
create schema "My Schema";
create schema s authorization pg_monitor;
create extension citext;
create extension hstore schema s;

-- Types.
create type mood as enum ('sad', 'ok; x', 'it''s', 'a, b', 'very "good"');
create domain pos as int not null default 3 constraint positive check (value > 0);
create domain code as varchar(8) collate "C" default upper('x');
create type addr as (street text collate "C", "Zip" int);
create type floats as range (subtype = float8, subtype_diff = float8mi);
create type shell;
create collation c_sorted (provider = libc, locale = 'C');

-- Tables.
create table "My Schema"."a b" (
    id bigint generated always as identity primary key,
    n numeric(10, 2) default 1.5,
    g int generated always as (1 + length('x' || 'y')) stored,
    m mood default 'ok; x',
    p pos,
    t text collate "C",
    e citext unique,
    tags text[] default array['a', 'b'],
    at timestamptz(3) default '2020-01-01 12:00+02',
    during interval default '1 day 02:03:04',
    bytes bytea default '\x00ff',
    real float8 default 0.1,
    precise float8 default '0.30000000000000004',
    cost money default '12.34',
    größe text default 'ß',
    j jsonb default '{"a": [1, 2]}',
    day date default current_date + 1,
    constraint "ck x" check (n > 0 and (t is null or t ~ '^[a-z]+$')),
    constraint moods check (m in ('sad', 'ok; x')),
    constraint texts check (t in ('a', 'b') or t like 'c%' or t between 'x' and 'z'),
    constraint ages check (extract(year from at) > 2000 and at at time zone 'UTC' > '2000-01-01')
);
create unlogged table u (
    id serial primary key,
    r bigint references "My Schema"."a b" on delete cascade deferrable initially deferred,
    a int,
    b int,
    unique nulls not distinct (a, b),
    exclude using gist (box(point(a, b), point(a, b)) with &&) where (a > 0)
) with (fillfactor = 70, toast.autovacuum_enabled = false);
create unlogged table refers (
    x int,
    y int,
    constraint pair foreign key (x, y) references u (a, b) match full on update set default on delete set null
);
create index i1 on u (r desc, lower(r::text) collate "C" text_pattern_ops) include (id) where r > 3 and a is not null;
create index i2 on "My Schema"."a b" using hash (t);
create index i3 on u ((a + b), (case when a > b then a else b end));
create table pt (id int, d date, primary key (id, d)) partition by range (d);
create table pt1 partition of pt for values from ('2020-01-01') to ('2021-01-01');
create table pt2 partition of pt default;
create table fewer (d date not null, id int not null, gone text);
alter table fewer drop gone;
alter table pt attach partition fewer for values from ('2021-01-01') to (maxvalue);
create index on pt (d);
create table lists (a text, b int) partition by list (lower(a));
create table lists_x partition of lists for values in ('x', null) partition by hash (b);
create table lists_x0 partition of lists_x for values with (modulus 2, remainder 0);
create table par (a int constraint positive check (a > 0));
create table chi (b int) inherits (par);
create table tof of addr;
alter table u alter r set statistics 50, alter id set storage plain, alter a set (n_distinct = 5);
alter index i3 alter column 2 set statistics 7;
alter table par replica identity full;
create sequence sq as smallint start 5 increment -2 minvalue -100 maxvalue 50 cache 3 cycle;
create statistics st (ndistinct) on a, b from chi;
create statistics st2 on (a + b), a from u;

-- Views and rules.
create view v with (security_barrier) as select u.id, u.a from u;
create materialized view mv as select id from u with no data;
create unique index on mv (id);
create rule ru as on delete to par do instead nothing;

-- Functions.
create function f(a int, b text default 'x', out c int, variadic d text[] default '{}') language sql immutable as $$ select 1; $$;
create function fa(int) returns int language sql parallel safe cost 5 begin atomic select $1 + 1; end;
create function ft(a int) returns table (x int, y "My Schema"."a b") language sql rows 7 set search_path = '' as 'select 1, null::"My Schema"."a b"';
create procedure pr(inout a int) language plpgsql security definer as $$ begin null; end $$;
create function tf() returns trigger language plpgsql as $$ begin return new; end $$;
create function etf() returns event_trigger language plpgsql as $$ begin end $$;
create trigger t1 before update of r on u for each row when (old.r is distinct from new.r) execute function tf('a', 'b');
create trigger t2 after insert on pt for each row execute function tf();
create constraint trigger t3 after insert on u deferrable initially deferred for each row execute function tf();
create trigger t4 after update on u referencing old table as o new table as n for each statement execute function tf();
create trigger t5 instead of insert on v for each row execute function tf();
alter table u disable trigger t1;
alter function tf() depends on extension hstore;
create aggregate ag (int) (sfunc = int4pl, stype = int, initcond = '0', parallel = safe, combinefunc = int4pl);
create operator === (leftarg = int, rightarg = int, function = int4eq, commutator = ===, restrict = eqsel);
create cast (mood as int) with inout as assignment;
create conversion cv for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;
create transform for int language sql (from sql with function prsd_lextype(internal));
create access method am type index handler bthandler;
create language plx handler plpgsql_call_handler;

-- Row security.
alter table u enable row level security, force row level security;
create policy po on u for select to pg_monitor, pg_read_all_data using (r in (select id from "My Schema"."a b"));
create policy po2 on u as restrictive for insert with check (a > 0 and current_user = 'x');

-- Text search.
create text search parser tp (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype);
create text search template tt (init = dsimple_init, lexize = dsimple_lexize);
create text search dictionary td (template = simple, stopwords = english);
create text search configuration tc (copy = english);
alter text search configuration tc alter mapping for word with td, english_stem;

-- Other servers.
create foreign data wrapper w;
create server s type 'a' version 'b' foreign data wrapper w options (host 'x, y');
create user mapping for pg_monitor server s options (user 'u');
create foreign table foreign_t (a int options (x 'y') not null check (a > 0)) server s options (tab 't');
create publication pu for table "My Schema"."a b" (id, n) where (id > 3), table chi with (publish = 'insert, update');
create publication pu2 for tables in schema s;

-- Rights, comments and settings.
grant select, insert on u to pg_monitor with grant option;
grant all on par to pg_read_all_data;
revoke all on chi from current_user;
grant update (id) on u to pg_monitor;
revoke all on function fa(int) from public;
grant execute on function pg_sleep(float8) to pg_monitor;
revoke execute on function pg_stat_reset() from public;
grant execute on function s.hstore(text, text) to pg_monitor;
alter default privileges in schema public grant select on tables to pg_monitor;
alter default privileges for role pg_monitor revoke execute on functions from public;
revoke usage on type mood from public;
grant create on schema public to pg_monitor;
comment on table u is 'hello; world';
comment on column u.id is 'c';
comment on type addr is E'two\nlines "quoted"';
comment on constraint "ck x" on "My Schema"."a b" is 'con';
comment on column addr.street is 'st';
create event trigger et on ddl_command_start when tag in ('ALTER TABLE', 'CREATE TABLE') execute function etf();
alter event trigger et enable always;
