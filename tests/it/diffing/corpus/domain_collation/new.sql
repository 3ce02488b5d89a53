create domain d as text collate "C";
create table t (a d);
create index i on t (a);
