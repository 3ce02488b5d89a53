create table pt (k int, v text) partition by range (k); create table pt1 partition of pt for values from (1) to (10);
create index ip on pt (k); create unique index ipu on pt (k);
