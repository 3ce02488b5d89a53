create table parent (id int primary key, name text, st text);
create table t (id int, a bigint, b text, c text, j jsonb, p int default 3, primary key (id));
create table child (d int, a bigint) inherits (t, parent);
