create table p (a int, b text, c int) partition by range (a);
create table p1 partition of p (primary key (a)) for values from (0) to (10);
create table p2 partition of p (a primary key, b default 'x' not null, check (c > 0)) for values from (10) to (20);
create table p3 partition of p (unique (a, b)) for values from (20) to (30) partition by list (b);
create table p3a partition of p3 (primary key (b)) for values in ('x');
