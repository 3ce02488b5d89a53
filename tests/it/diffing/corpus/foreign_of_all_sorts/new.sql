create foreign data wrapper w options (a 'b');
create server s type 't' version '1' foreign data wrapper w options (host 'h', "Port" '5');
create user mapping for public server s options (user 'u');
create foreign table ft (a int options (col 'x') not null default 3, b text collate "C", check (a > 0)) server s options (tbl 'y', "Sch" 'z''q');
create table p (a int) partition by list (a);
create foreign table fp partition of p for values in (1) server s;
alter foreign table ft alter a set statistics 50;
comment on foreign table ft is 'x'; grant select on ft to pg_monitor;
