-- from 18
create table p (id int primary key, n int generated always as identity);
create table c (id int constraint one not null, n int constraint two not null) inherits (p);
