create table one (b integer);
create table two (a integer, c integer);
create table child (own integer) inherits (one, two);
