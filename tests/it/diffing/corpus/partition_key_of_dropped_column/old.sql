create table p (a int primary key, b text, c int);
create table p1 (a int, b text, c int);
create index pi on p (b);
create table p2 (a int, b text);
