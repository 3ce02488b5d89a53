create table r (x int primary key);
create table t (a int, b int, primary key (a, b)) partition by range (a);
create table t1 partition of t for values from (0) to (10) partition by list (b);
create table t11 partition of t1 for values in (1);
create table t12 partition of t1 default;
alter table t add foreign key (b) references r;
create index on t (b);
