create table parent (id int primary key, name text, st text);
create table t (id int, a int, b varchar(10), c int[], constraint ck check (a > 0));
create table child (d int, x text) inherits (parent);
create view v as select d from child;
