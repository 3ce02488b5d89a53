create table kept (id int, j int, constraint kept_pkey primary key (id) include (j));
create table ptd (k int, x int, constraint x foreign key (x) references kept (id));
