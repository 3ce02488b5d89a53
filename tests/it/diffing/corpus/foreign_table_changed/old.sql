create foreign data wrapper w;
create server s foreign data wrapper w;
create foreign table f (a int options (x 'y'), b text) server s options (tab 't', one '1');
create view v as select a from f;
