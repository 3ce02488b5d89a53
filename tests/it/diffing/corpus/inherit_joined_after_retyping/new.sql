create table t (id int, a int, b text);
create table child (id int, a int, b text, d int);
create table grandchild (id int, a int, b text, d int, e text);
alter table child inherit t;
alter table grandchild inherit child;
