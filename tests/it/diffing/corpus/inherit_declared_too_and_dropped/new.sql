create table p (c int);
create table t (d int) inherits (p);
create table u () inherits (t);
