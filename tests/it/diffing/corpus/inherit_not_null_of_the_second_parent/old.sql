create table p (id int not null, n int);
create table t (id int not null, n int not null);
create table child () inherits (p, t);
create table grandchild () inherits (child);
