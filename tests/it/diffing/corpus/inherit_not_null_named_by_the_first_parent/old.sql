-- from 18
create table things (id integer);
