-- from 17
create access method other type table handler heap_tableam_handler;
create table a (id int) partition by list (id);
create table a1 partition of a for values in (1) using other;
create table b (id int) partition by list (id) using heap;
create table c (id int) partition by list (id) using other;
create table c1 partition of c for values in (1) using heap;
create table c2 partition of c for values in (2);
