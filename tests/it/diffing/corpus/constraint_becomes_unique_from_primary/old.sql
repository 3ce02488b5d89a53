create table t (a int constraint k primary key);
create table u (a int references t (a));
