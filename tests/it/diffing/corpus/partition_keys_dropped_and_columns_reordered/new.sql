create table p (a int, b text, c int) partition by range (a);
create table p1 (c int, x int, b text, a int);
alter table p1 drop x;
alter table p attach partition p1 for values from (0) to (10);
alter table p add d date;
create table p2 partition of p for values from (10) to (20);
alter table p drop c;
