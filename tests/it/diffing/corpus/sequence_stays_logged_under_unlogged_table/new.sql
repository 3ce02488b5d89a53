create sequence sq;
create unlogged table t (id int);
alter sequence sq owned by t.id;
