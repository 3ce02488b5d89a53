create schema s;
create table s.t (a int);
create publication p for tables in schema s;
