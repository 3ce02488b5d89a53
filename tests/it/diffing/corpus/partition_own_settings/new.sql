create table t (a int not null, b text, c int) partition by range (a);
create table p1 partition of t for values from (1) to (10);
alter table p1 alter b set default 'own', alter c set not null, enable row level security, set (fillfactor = 50);
alter table p1 add constraint own check (c < 100);
create index own on p1 (c);
grant select on p1 to pg_monitor;
create policy pp on p1 using (true);
