create sequence t_a_seq;
create table t (a int not null);
