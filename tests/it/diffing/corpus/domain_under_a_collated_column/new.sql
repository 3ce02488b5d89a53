create domain d as varchar(20) check (value <> '');
create table t (a d collate "C", b d[] collate "C", c d);
