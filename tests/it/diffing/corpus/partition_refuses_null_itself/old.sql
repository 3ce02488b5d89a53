create table pt (k int, v varchar(10) not null default 'y', w int) partition by list (k);
create table pt2 partition of pt (constraint own_name not null v) for values in (2);
alter table pt2 alter v set not null;
