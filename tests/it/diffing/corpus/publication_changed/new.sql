create schema s;
create table t (a int primary key, b int);
create table u (a int);
create publication p for table t (a) where (a > 0), table u with (publish = 'insert');
create publication q for tables in schema s;
create publication r for all tables;
comment on publication r is 'r';
