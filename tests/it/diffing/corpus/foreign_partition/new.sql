create foreign data wrapper w;
create server s foreign data wrapper w;
create table t (a int) partition by list (a);
create foreign table f partition of t for values in (1) server s;
