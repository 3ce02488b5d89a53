create table one (a integer, c integer);
create table two (b text);
create table child (own integer) inherits (one, two);
