create table p (a int default 1);
create table c () inherits (p);
alter table c alter a set default 2, alter a set not null;
