create table p (a int);
create table c (b int) inherits (p);
create table g (d int) inherits (c);
