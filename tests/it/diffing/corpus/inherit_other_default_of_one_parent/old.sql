create table things (id int, size int default 3);
create table boxes (lid text) inherits (things);
create table bags (color text) inherits (things);
