create table t (a int, b int);
create index i on t (b);
create index j on t (a) with (fillfactor = 60);
