create table a (id bigint primary key);
create table b (id bigint primary key references a);
create table c (id bigint primary key references b);
