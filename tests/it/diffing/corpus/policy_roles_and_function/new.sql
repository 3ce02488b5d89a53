create table t (a int);
create function ok(x int default 1) returns boolean language sql as 'select true';
create policy p on t to public using (ok());
