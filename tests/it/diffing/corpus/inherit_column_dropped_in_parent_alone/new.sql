create table t (id int, a int, b text);
create table child (c int) inherits (t);
alter table only t drop column a;
alter table only t drop column b;
