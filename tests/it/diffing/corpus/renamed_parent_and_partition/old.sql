create table p (k int, v text, primary key (k)) partition by list (k);
create table p1 partition of p for values in (1);
create index on p (v);
create table i (a int);
create table j (b int) inherits (i);
