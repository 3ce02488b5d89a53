create table parent (a integer, b integer generated always as (a * 2) stored);
create table child (a integer, b integer generated always as (a * 2) stored);
alter table child inherit parent;
create table other (a integer);
create table child_of_other (a integer, b integer generated always as (a * 2) stored) inherits (other);
