create table pt (k int, v text, w int) partition by range (k);
create unique index ipu on pt (k);
