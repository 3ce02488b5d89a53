create table r (a int primary key);
create table t (a int references r);
