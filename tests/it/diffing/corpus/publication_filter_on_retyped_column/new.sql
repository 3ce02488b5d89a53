create table t (a int primary key, b bigint);
create publication p for table t (a, b) where (b > 4);
