create table t (a smallint default 6, b numeric(8, 3), c varchar(5));
