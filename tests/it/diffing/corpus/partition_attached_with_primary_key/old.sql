create table t (k int primary key, v text) partition by range (k);
create table t1 (k int primary key, v text);
