create table parent ();
create table child (own integer, a integer) inherits (parent);
create table grandchild () inherits (parent, child);
