create domain d as text check (value <> '');
create table t (a d collate "C", b d[] collate "C", c d);
