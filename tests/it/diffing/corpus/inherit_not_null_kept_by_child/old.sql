create table p (a int not null, b int default 1 check (b > 0));
create table c (d int) inherits (p);
alter table c alter b set default 5;
