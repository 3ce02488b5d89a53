-- from 17
create access method other type table handler heap_tableam_handler;
create table a (id int) partition by list (id) using other;
create table a1 partition of a for values in (1) using heap;
create table a2 partition of a for values in (2) using heap;
create table a3 partition of a for values in (3);
create table b (id int) partition by list (id);
create table c (id int) partition by list (id) using heap;
create table c1 partition of c for values in (1) using heap;
create table c2 partition of c for values in (2) using heap;
create table d (id int) partition by list (id) using other;
create table d1 partition of d for values in (1) using heap;
