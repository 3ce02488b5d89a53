create table p (id int, constraint pos check (id > 0));
create table q (id int, b int, constraint low check (b < 9));
create table one (d int) inherits (p, q);
create table two (d int, b int, constraint low check (b < 9)) inherits (p);
alter table two inherit q;
create table three (id int, b int, constraint pos check (id > 0), constraint low check (b < 9));
alter table three inherit p;
alter table three inherit q;
