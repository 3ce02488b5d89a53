create table t (a int not null, b int) partition by range (a);
create table t1 partition of t default;
create table u (a int);
