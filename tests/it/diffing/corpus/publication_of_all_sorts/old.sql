create table t (a int primary key, b text, c int); create schema s; create table s.u (a int);
create publication p for table t where (a > 1), tables in schema s with (publish = 'insert, update');
