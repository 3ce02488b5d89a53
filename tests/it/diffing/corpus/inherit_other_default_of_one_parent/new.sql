create table things (id int, size int default 3);
create table boxes (lid text) inherits (things);
create table bags (color text) inherits (things);
create table boxed_bags () inherits (boxes, bags);
alter table boxes alter size set default 4;
