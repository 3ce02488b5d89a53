create table p (a int, x text default 'x', constraint k check (a > 0));
create table c (b int) inherits (p);
create table g (d int) inherits (c);
