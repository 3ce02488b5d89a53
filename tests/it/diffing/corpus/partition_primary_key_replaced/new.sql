create table t (k int, v int, primary key (k, v)) partition by range (k);
create table t1 partition of t for values from (0) to (10);
create table r (k int, v int, foreign key (k, v) references t);
