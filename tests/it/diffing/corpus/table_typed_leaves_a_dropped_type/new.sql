create table t (a int primary key, b text not null default 'x', d int);
create table u () inherits (t);
create view v as select a, b from u;
