create table items (id int not null, part int) partition by list (part);
create table items_1 partition of items for values in (1);
create table items_2 (id int not null, part int);
