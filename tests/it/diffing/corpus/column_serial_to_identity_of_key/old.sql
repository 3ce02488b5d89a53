create table t (id serial primary key, n int);
create table u (t int references t);
