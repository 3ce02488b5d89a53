create table items (id int generated always as identity, part int) partition by list (part);
create table items_1 partition of items for values in (1);
create table items_2 partition of items for values in (2);
create table items_3 partition of items for values in (3);
