create table kept (id int primary key) partition by range (id);
create table ptd (k int, x int, constraint x foreign key (x) references kept);
