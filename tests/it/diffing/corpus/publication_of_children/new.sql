create table t (a int, p int);
create table child () inherits (t);
create table grandchild () inherits (child);
create table u (a int);
create table child_of_u () inherits (u);
create publication pub for table t where (p > 0), u (a);
