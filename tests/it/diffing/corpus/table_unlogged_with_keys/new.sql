create unlogged table r (a int primary key);
create unlogged table t (a int references r);
