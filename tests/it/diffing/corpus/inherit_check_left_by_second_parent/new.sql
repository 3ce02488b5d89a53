create table t (id int, a int, b text, p int, constraint ck check (a > 0));
create table child (d int, a int) inherits (t);
alter table t add constraint late check (p <> 3) not valid;
