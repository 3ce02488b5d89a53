create sequence s2 start 5;
create table t (a int default nextval('s2'));
create table u (a int default nextval('s2'));
