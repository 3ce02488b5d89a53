create table items (id int, part int) partition by range (id);
create index items_id on items (id);
