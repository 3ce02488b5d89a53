create table t (id int primary key, a bigint, b text, c int);
create view v as select t as whole, a from t;
create view w as select v as whole_v from v;
create view x as select row(v.*)::text as r from v;
