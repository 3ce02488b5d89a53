create table r (a int, b int, primary key (a, b));
create table t (x int, y int, constraint k foreign key (x, y) references r on delete set null (y));
