create sequence s;
create table t (a int default nextval('s'::text));
