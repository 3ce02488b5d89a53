create table b (y int, x text);
create table a (z int primary key);
