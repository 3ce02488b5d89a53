create table r (a int, b int not null, constraint r_pkey primary key (a) include (b));
create table t (a int references r);
create view v as select a, b from r group by a, b;
