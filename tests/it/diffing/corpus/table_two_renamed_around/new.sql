create table a (y text);
create table b (x int);
create index ib on a (y);
create index ia on b (x);
