create table t (a int);
create function ok() returns boolean language sql as 'select true';
create policy p on t to pg_monitor using (ok());
