create table p (a int, b int default 2 check (b > 0));
create table c (d int) inherits (p);
alter table c alter a set not null; alter table c alter b set default 5;
