-- from 18
create function fold(integer) returns integer language sql immutable return $1 * 2;
create table whole (a integer, b integer generated always as (a * 20)) partition by list (a);
create table part (a integer, b integer generated always as (a * 2));
alter table whole attach partition part for values in (1);
create table other (a integer, b integer generated always as (a * 4) stored);
create table rows_of_other (o other);
create table kept (a integer, b integer generated always as (a * 4) stored, c integer);
create view reads_kept as select b from kept;
create table folded (a integer, b integer generated always as (fold(a)) stored);
