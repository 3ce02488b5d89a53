create table r (a int constraint two primary key);
create table t (a int references r);
