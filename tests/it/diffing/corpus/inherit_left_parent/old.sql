create table a (x int, y int); create table b (x int, z int); create table c (w int) inherits (a, b);
