create table t (id int, n int);
create sequence a owned by t.id;
