create schema s;
create table s.t (a serial primary key);
