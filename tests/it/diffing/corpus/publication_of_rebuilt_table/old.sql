create table t (a int) partition by list (a);
create publication p for table t;
