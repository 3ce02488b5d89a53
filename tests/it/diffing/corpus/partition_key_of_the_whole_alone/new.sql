create table items (id int not null, part int not null) partition by list (part);
create table items_1 partition of items for values in (1);
create table items_2 (id int not null, part int not null, primary key (id, part));
alter table items attach partition items_2 for values in (2);
create table items_3 (id int not null, part int not null, primary key (id, part));
alter table items attach partition items_3 for values in (3);
create table items_rest partition of items default;
alter table only items add primary key (id, part);
alter index items_pkey attach partition items_3_pkey;
