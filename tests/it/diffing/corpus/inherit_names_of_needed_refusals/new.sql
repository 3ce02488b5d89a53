-- from 18
create table p (id int primary key, n int generated always as identity);
create table c (id int constraint other not null, n int constraint another not null) inherits (p);
