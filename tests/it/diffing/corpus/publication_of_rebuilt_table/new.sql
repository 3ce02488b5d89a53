create table t (a int);
create publication p for table t;
