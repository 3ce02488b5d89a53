create table t (a int not null);
create unique index u on t (a);
