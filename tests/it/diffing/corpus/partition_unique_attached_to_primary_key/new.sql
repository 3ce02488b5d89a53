create table stays (a integer);
create table whole (a integer not null) partition by list (a);
create table part (a integer not null unique);
alter table whole attach partition part default;
alter table only whole add primary key (a);
alter index whole_pkey attach partition part_a_key;
