create type c as (a int, b text);
create table t of c (primary key (a), b with options not null default 'x');
create table u () inherits (t);
create view v as select a, b from u;
