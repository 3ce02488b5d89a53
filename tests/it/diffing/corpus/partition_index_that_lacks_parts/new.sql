create table whole (a integer) partition by list (a);
create table kept partition of whole for values in (9);
create table part partition of whole for values in (1, 2) partition by list (a);
create table leaf_with partition of part for values in (1);
create table leaf_without partition of part for values in (2);
create index leaf_with_a on leaf_with (a);
create index part_a on only part (a);
alter index part_a attach partition leaf_with_a;
create index whole_a on whole (a);
