create table a (id int primary key, p int references a, b int);
create table b (id int primary key, a int references a);
alter table a add foreign key (b) references b;
