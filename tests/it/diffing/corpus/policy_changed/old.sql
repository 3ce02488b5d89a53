create table t (a int);
alter table t enable row level security;
create policy p on t for select to pg_monitor using (a > 0);
create policy q on t using (a > 0) with check (a > 0);
