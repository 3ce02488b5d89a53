-- Every kind of type in Postgres, and every kind of cycle between tables.
create type mood as enum ('sad', 'o,k"', '');
create type pair as (a int, b text);
create domain positive as int check (value > 0);

create table types (
    id      bigint generated always as identity,
    serial  serial,
    twice   numeric generated always as (n * 2) stored,
    n       numeric, f8 float8, f4 real, cash money, flag boolean, one "char", five char(5), label name,
    raw     bytea, bits bit varying, dates date, span interval, at timestamp, clock time, zoned timetz, atz timestamptz,
    ip      inet, net cidr, mac macaddr, spot point, path path, doc json, docb jsonb, mark xml, words tsvector, ask tsquery,
    mood    mood, pair pair, pairs pair[], positive positive, r int4range, m datemultirange, grid text[][], lsn pg_lsn, cls regclass,
    constraint types_pkey primary key (id)
);

insert into types (n, f8, f4, cash, flag, one, five, label, raw, bits, dates, span, at, clock, zoned, atz, ip, net, mac, spot, path, doc, docb, mark, words, ask, mood, pair, pairs, positive, r, m, grid, lsn, cls)
values ('NaN', 'NaN', 'infinity', -12345.67, true, 'x', 'a', 'n', '\x', '', 'infinity', '1 year -2 days 03:04:05.678', '-infinity', '24:00', '23:59:59+15:59', 'infinity', '::1', '10.0.0.0/8', '08:00:2b:01:02:03', '(1e-300,-0)', '[(0,0),(1,1)]', '{"b":1, "b" : 2,  "a":"\u0000"}', '{"b":1,"b":2}', '<a>&amp;</a>', $$'it''s':1A 'a\b'$$, '!a & b:*', 'o,k"', '(1,)', array[(1, 'a"b,\'), null, (null, '')]::pair[], 1, 'empty', '{[2020-01-01,infinity)}', '{{a,NULL},{"NULL",""}}', '16/B374D848', 'types'),
       (-0.00010, '-0', 3.4028235e38, null, false, '\\', '', '', '\x5c09', '0101', '4713-01-01 BC', '-178000000 years', '2020-01-01 00:00:00.000001', '00:00', '00:00-15:59', '2020-06-01 12:00+05:30', '0.0.0.0/0', '::/0', null, null, '((0,0))', '"x"', 'null', '', '', null, '', '(,"")', '{}', 2147483647, '(,)', '{}', '{}', '0/0', 'pg_class'),
       (1e30, 1.7976931348623157e308, 1e-45, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null);

-- Parents behind their children.
create table tree (id int primary key, parent int references tree, twin int references tree deferrable initially deferred);
insert into tree values (1, 9, 9), (2, 1, null), (9, 9, 1);

create table "Odd/Näme ""x" ("a b" text collate "C" primary key, "C" text, egg int);
create table hen (id int primary key, egg int not null);
create table egg (id int primary key, hen int not null);
insert into "Odd/Näme ""x" values (E'é\t', null, 1), ('e', 'x', null);
insert into hen values (1, 1), (2, 2);
insert into egg values (1, 2), (2, 1);
alter table hen add constraint hen_egg_fkey foreign key (egg) references egg on delete restrict;
alter table egg add constraint egg_hen_fkey foreign key (hen) references hen deferrable initially immediate;
alter table "Odd/Näme ""x" add constraint odd_fkey foreign key (egg) references egg;

create table keyless (a text, b int);
insert into keyless values ('b', null), ('a', 1), ('a', 1), (null, null), ('', 0);
create table nothing (id int primary key);

-- Changes every row that it sees.
create function meddle() returns trigger language plpgsql as $$ begin new.b := 7; return new; end $$;
create trigger meddle before insert on keyless for each row execute function meddle();

-- The rows of a partition are its parent's. A table that inherits has its own rows.
create table month (id int, at int, note text, primary key (id, at)) partition by range (at);
create table month_1 partition of month for values from (0) to (10);
create table month_2 partition of month for values from (10) to (20);
insert into month values (1, 1, 'a'), (2, 11, 'b');
create function shout() returns trigger language plpgsql as $$ begin new.note := upper(new.note); return new; end $$;
create trigger shout before insert on month for each row execute function shout();
alter table month_2 disable trigger shout;
create trigger own before insert on month_1 for each row execute function shout();
create function refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$;
create trigger refuse before truncate on month_1 for each statement execute function refuse();
create table heir (c int) inherits (keyless);
insert into heir values ('h', 1, 2);
