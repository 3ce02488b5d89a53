create unlogged table r (a int primary key);
create unlogged table t (a int references r, b int);
create table others (a int primary key);
