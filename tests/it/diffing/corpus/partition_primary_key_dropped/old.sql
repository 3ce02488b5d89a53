create table t (a int primary key, b int) partition by range (a);
create table t1 partition of t default;
create table u (a int references t);
