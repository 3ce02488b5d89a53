create table parent (id int primary key);
create table kept (id int primary key);
create table pt (k int, w int references parent, x int references kept) partition by list (k);
create table ptd partition of pt default;
