create table t (a int primary key, b text, c bigint); create schema s; create table s.u (a int);
create publication p for table t (a, c) where (a > 2), s.u with (publish_via_partition_root);
create publication q for all tables with (publish = 'truncate');
create publication r;
