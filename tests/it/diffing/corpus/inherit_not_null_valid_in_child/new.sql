-- from 18
create table parent (a integer);
create table child () inherits (parent);
alter table parent add constraint refuses not null a not valid;
alter table child validate constraint refuses;
