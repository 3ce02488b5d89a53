create foreign data wrapper w;
create server s foreign data wrapper w;
create user mapping for public server s;
create foreign table f (a int) server s;
create view v as select a from f;
