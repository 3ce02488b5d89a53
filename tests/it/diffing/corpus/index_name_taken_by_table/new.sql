create table t (a int);
create table i (a int);
