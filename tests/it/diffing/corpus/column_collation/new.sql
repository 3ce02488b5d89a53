create table t (a text, b varchar(4) collate "POSIX");
create index i on t (a);
