create table t (k int, v text, primary key (k)) partition by range (k);
create table t1 partition of t for values from (0) to (10);
create table c (k int);
