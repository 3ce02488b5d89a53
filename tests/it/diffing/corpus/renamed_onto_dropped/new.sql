create table b (y int);
