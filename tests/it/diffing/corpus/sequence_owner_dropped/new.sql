create table t (b int);
create sequence s;
