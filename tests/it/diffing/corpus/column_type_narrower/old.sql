create table t (a bigint default 5, b numeric(10, 2), c varchar(20));
