create table parent (id int primary key, name text, st text);
create table t (id int, a int, b text, c int[], j jsonb, p int, check (b in ('a', 'b')));
create table child (d int, a int) inherits (t, parent);
