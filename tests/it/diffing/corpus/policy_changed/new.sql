create table t (a int);
alter table t enable row level security;
create policy p on t for select to pg_monitor, pg_read_all_data using (a > 1);
create policy q on t as restrictive with check (a > 0);
