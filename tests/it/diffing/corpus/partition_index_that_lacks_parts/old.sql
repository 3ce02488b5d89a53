create table whole (a integer) partition by list (a);
create index whole_a on whole (a);
create table kept partition of whole for values in (9);
