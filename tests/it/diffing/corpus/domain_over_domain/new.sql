create domain d as text;
create domain e as d check (value <> '');
create table t (a e);
