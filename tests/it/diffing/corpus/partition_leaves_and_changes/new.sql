create table p (a int, b int, c int generated always as (b * 4) stored, d int) partition by list (a);
create table p1 partition of p for values in (1);
create table p2 (a int, b int, c int default 42, d text[]);
create table q (a int, b int generated always as (a + 1) stored);
create table q1 (a int, b int default 3, c int);
create table q2 (c int) inherits (q);
