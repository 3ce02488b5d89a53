create table items (id int, part int) partition by range (id);
create index items_id on items (id);
create table items_low (id int, part int) partition by list (part);
create table items_low_1 partition of items_low for values in (1);
create index items_low_id on items_low (id);
alter table items attach partition items_low for values from (0) to (10);
