create sequence sq;
create table t (id int);
alter sequence sq owned by t.id;
