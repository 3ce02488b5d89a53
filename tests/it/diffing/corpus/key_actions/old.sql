create table r (a int, b int, unique (a, b));
create table t (x int, y int, constraint k foreign key (x, y) references r (a, b));
