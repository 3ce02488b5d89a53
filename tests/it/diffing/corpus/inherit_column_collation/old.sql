create table t (b text, c varchar(5));
create table child () inherits (t);
create table grandchild () inherits (child);
