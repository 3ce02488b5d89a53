-- from 18
create table parent (a integer constraint refuses not null, b integer not null);
create table child () inherits (parent);
create table whole (a integer constraint refuses not null) partition by list (a);
create table part partition of whole for values in (1);
alter table only parent drop constraint refuses;
alter table only whole drop constraint refuses;
