create foreign data wrapper w;
create server s foreign data wrapper w;
create foreign table f (a bigint options (x 'z'), c text) server s options (tab 'u', two '2');
create view v as select a from f;
