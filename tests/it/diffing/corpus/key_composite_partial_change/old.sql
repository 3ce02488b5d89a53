create table r (a int, b int, c int, unique (a, b), unique (a, c));
create table t (x int, y int, constraint k foreign key (x, y) references r (a, b));
