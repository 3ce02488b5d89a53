create table t (a int not null, b text, c int) partition by range (a);
create table p1 partition of t for values from (1) to (10);
create view v as select a from t;
grant select on t to pg_monitor;
create policy p on t using (true);
create table u (a int);
