create table t (a int not null, b text, c int) partition by range (a);
alter table t add constraint k unique (a, c);
create table p1 partition of t for values from (1) to (10);
create table p2 partition of t default;
create table u (x int, y int, foreign key (x, y) references t (a, c));
