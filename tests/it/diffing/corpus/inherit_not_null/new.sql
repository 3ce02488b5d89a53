create table p (a int not null);
create table t (b int) inherits (p);
