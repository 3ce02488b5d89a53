create table t (a int not null, b text, c int) partition by range (a);
create table p1 partition of t for values from (1) to (10);
alter table t add constraint k check (c > 0);
alter table t alter b set not null;
alter table t alter c set default 5;
alter table p1 alter c set default 6;
