create table above (a int);
create table below () inherits (above);
create table one (note text);
create table two (id int, more int) inherits (one);
create table three () inherits (two);
