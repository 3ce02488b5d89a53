create table items (id int primary key) partition by range (id);
create table items_low (id int constraint items_id_not_null not null primary key) partition by range (id);
create table items_low_1 partition of items_low for values from (0) to (5);
