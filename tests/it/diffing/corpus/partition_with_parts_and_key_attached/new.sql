create table items (id int primary key) partition by range (id);
create table items_low partition of items for values from (0) to (10) partition by range (id);
create table items_low_1 partition of items_low for values from (0) to (5);
