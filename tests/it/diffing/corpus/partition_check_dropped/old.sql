create table t (a int not null, b text, c int) partition by range (a);
alter table t add constraint k check (c > 0);
create table p1 partition of t for values from (1) to (10);
