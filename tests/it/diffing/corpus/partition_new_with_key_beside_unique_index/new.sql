create table pt (k int primary key, v text, w int) partition by range (k);
create table pt2 partition of pt for values from (10) to (20);
create unique index ipu on pt (k);
