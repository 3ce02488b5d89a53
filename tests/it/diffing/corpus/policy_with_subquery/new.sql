create table r (b int);
create table t (a int);
create policy p on t using (a in (select b from r));
