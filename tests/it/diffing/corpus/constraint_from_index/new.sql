create table t (a int not null, constraint u unique (a));
