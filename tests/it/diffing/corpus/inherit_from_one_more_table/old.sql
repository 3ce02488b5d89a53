create table p (id int, constraint pos check (id > 0));
create table q (id int, b int, constraint low check (b < 9));
create table one (d int) inherits (p);
create table two (d int) inherits (p);
create table three (id int, b int, constraint pos check (id > 0), constraint low check (b < 9));
