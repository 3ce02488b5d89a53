create table p (a int);
create table q (b int);
create table t () inherits (p, q);
alter table t no inherit p;
