-- from 18
create table parent (a integer not null);
create table child () inherits (parent);
create table grandchild () inherits (parent, child);
alter table parent alter constraint parent_a_not_null no inherit;
