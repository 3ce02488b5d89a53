create table t (id int default 1, a text default 'x' not null, g int generated always as (id + 1) stored);
create table child () inherits (t);
alter table child alter id set default 4;
alter table only t alter a set default 'y';
