create table t (a int, s varchar(10) check (s in ('a', 'b')), c char(3) check (c in ('x', 'y')), n numeric check (n between 1 and 10));
create index on t (s) where s in ('a', 'b');
create view v as select * from t where s in ('a', 'b') and c = any (array['x', 'y']);
