create table kept (id bigint primary key);
create table pt (k int, w int, x int) partition by range (k);
create table ptd partition of pt default;
