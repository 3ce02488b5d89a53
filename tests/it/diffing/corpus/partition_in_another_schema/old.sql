create table t (a int not null, b text, c int) partition by range (a);
create schema s;
