create table r (a int, b int, primary key (a));
create table t (a int references r);
create view v as select a, b from r group by a;
