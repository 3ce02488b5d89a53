create table whole (a integer) partition by list (a);
create table part partition of whole (primary key (a)) for values in (1);
create unique index on whole (a);
