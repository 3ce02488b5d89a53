create table t (id int not null, a int, b text, constraint c1 check (a > 0), constraint c2 check (b <> ''));
create table child (id int not null, a int, b text, d int, constraint c1 check (a > 0), constraint c2 check (b <> ''));
alter table child inherit t;
