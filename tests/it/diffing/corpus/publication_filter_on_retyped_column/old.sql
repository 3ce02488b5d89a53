create table t (a int primary key, b int);
create publication p for table t (a, b) where (b > 3);
