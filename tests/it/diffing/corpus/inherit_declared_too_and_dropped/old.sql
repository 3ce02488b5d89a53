create table p (a int, b int, c int, check (b > 0));
create table t (a int, b int, d int) inherits (p);
create table u (b int, check (b > 0)) inherits (t);
