create table t (a text collate "C", b varchar(3));
create index i on t (a);
