create domain dt as varchar(20);
create table parent (name dt);
create table t (r parent);
