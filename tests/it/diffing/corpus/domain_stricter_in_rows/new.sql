create domain dt as varchar(20) not null check (value in ('a', 'b'));
create table parent (name dt);
create table t (r parent);
