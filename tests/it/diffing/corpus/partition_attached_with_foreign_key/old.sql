create table o (a int primary key);
create table t (k int, o int references o) partition by range (k);
create table t1 (k int, o int, constraint t_o_fkey foreign key (o) references o);
