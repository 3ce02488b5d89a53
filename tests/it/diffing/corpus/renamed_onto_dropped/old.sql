create table a (x int, y text);
create table b (z int primary key);
create view v as select * from b;
