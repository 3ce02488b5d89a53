create domain d as text;
create table t (a d);
create index i on t (a);
