create table t (a varchar(3));
alter table t alter a set storage external, alter a set compression pglz, alter a set statistics 7, alter a set (n_distinct = 3);
