create table parent (id int primary key, name text, st text);
create table t (id int, a int, b varchar(10), c text, j jsonb, p int);
create table child (d int, a int) inherits (t, parent);
