create table p (a int primary key, b text, c int references p) partition by range (a);
create table p1 partition of p for values from (0) to (10);
create table p2 partition of p for values from (10) to (20) partition by range (a);
create table p21 partition of p2 for values from (10) to (15);
