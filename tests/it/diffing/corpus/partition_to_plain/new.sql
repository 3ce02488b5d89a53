create table t (a int primary key, b text, c int);
create view v as select a from t;
grant select on t to pg_monitor;
create policy p on t using (true);
create table u (a int references t);
