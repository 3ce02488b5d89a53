create table p (a int, constraint c check (a > 0), constraint d check (a < 9) no inherit);
create table t (b int) inherits (p);
