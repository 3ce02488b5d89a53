create table t (a int not null, b text, c int) partition by range (a);
create table p1 (a int not null, b text, c int);
create index p1_b on p1 (b);
create index i on t (b);
