create domain d as bigint;
create domain many as d[];
create table t (m many);
