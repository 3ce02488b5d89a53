-- from 18
create table pt (k int , v varchar(10) not null default 'y', w int) partition by list (k);
create table pt1 partition of pt for values in (1);
alter table pt1 alter v set not null;
create table pt2 partition of pt (constraint own_name not null v) for values in (2);
create table p (a int not null);
create table c () inherits (p);
alter table c alter a set not null;
create table c2 (a int not null) inherits (p);
