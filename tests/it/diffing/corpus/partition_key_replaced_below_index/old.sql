create table whole (a integer) partition by list (a);
create table one partition of whole (constraint key_of_one primary key (a)) for values in (1);
create table two partition of whole (constraint key_of_two primary key (a)) for values in (2);
create unique index of_whole on whole (a);
create table other (a integer references one);
