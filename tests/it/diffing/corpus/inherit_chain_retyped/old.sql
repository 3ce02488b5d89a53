create table g (a int, b text check (b <> '')); create table p (c int default 1) inherits (g); create table k (d int) inherits (p); create view v as select a, c from k; create index on k (a);
