create table t (id int primary key, p int);
insert into t values (1, 1);
create table u (id int primary key, p int);
insert into u values (1, 1);
alter table u owner to pg_monitor;
