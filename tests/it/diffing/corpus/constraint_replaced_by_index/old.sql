create table r (a int unique);
create table t (a int references r (a));
