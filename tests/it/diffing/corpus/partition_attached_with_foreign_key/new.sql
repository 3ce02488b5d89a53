create table o (a int primary key);
create table t (k int, o int references o) partition by range (k);
create table t1 (k int, o int, constraint t_o_fkey foreign key (o) references o);
alter table t attach partition t1 for values from (1) to (5);
