create table kept (id int primary key);
create table pt (k int, x int, constraint x foreign key (x) references kept) partition by list (k);
create table ptd partition of pt default;
