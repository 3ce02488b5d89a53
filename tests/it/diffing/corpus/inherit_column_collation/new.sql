create table t (b text collate "C", c varchar(5) collate "POSIX");
create table child () inherits (t);
create table grandchild () inherits (child);
