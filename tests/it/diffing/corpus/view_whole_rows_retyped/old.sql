create table t (id int primary key, a int, b text);
create view v as select t as whole, a from t;
create view w as select v as whole_v from v;
create view x as select v.*, w.whole_v from v, w;
