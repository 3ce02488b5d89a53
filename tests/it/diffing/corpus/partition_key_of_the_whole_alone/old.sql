create table items (id int not null, part int not null) partition by list (part);
create table items_1 partition of items for values in (1);
