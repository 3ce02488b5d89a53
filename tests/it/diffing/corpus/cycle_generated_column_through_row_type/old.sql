create table kept (i int);
