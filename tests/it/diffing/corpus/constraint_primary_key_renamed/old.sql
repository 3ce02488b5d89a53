create table r (a int constraint one primary key);
create table t (a int references r);
