create table r (a int);
create unique index r_a on r (a);
create table t (a int references r (a));
