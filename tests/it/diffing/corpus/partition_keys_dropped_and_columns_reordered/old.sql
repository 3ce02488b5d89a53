create table p (a int, b text, c int) partition by range (a);
create table p1 partition of p for values from (0) to (10);
create table p2 partition of p for values from (10) to (20);
alter table p add constraint pk primary key (a) include (b);
create unique index u on p (a, c) nulls not distinct;
alter table p1 replica identity using index p1_pkey;
alter table p2 cluster on p2_pkey;
