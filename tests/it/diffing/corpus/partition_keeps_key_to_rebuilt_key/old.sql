create table kept (id int, j int, constraint kept_pkey primary key (id));
create table pt (k int, x int, constraint x foreign key (x) references kept (id)) partition by list (k);
create table ptd partition of pt default;
