create table p (a int, c text default 'x');
create table t (b int) inherits (p);
