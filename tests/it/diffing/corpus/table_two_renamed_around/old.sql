create table a (x int);
create table b (y text);
create index ia on a (x);
create index ib on b (y);
