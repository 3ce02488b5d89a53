create table r (a int);
create table t (a int);
create policy p on t using (a in (select a from r));
