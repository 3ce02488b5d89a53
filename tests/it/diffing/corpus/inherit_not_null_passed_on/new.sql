-- from 18
create table parent (a integer not null);
create table child () inherits (parent);
create table grandchild () inherits (parent, child);
create table waiting (a integer);
create table child_of_waiting () inherits (waiting);
alter table waiting add constraint refuses not null a not valid;
