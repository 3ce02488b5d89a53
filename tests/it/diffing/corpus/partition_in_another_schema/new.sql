create table t (a int not null, b text, c int) partition by range (a);
create schema s;
create table s.p1 partition of t for values from (1) to (10);
create index on t (b);
