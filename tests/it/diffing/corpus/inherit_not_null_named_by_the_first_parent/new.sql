-- from 18
create table keyed (id integer primary key);
create table things (id integer primary key);
create table child (own integer) inherits (things, keyed);
