create schema s;
create table t (a serial primary key);
