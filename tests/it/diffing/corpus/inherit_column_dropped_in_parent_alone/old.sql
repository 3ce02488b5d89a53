create table parent (id bigint primary key, name text, st text);
create table t (id bigint, a int, b varchar(10), c text, j jsonb, p int);
create table child (d int, a int) inherits (t, parent);
