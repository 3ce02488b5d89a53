create table t (a int not null, b text, c int) partition by range (a);
create index i on t (b);
create table p1 (a int not null, b text, c int);
create index p1_b on p1 (b);
alter table t attach partition p1 for values from (1) to (10);
