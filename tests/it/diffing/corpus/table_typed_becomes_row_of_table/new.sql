create table comp (a int, b text);
create table u (z comp, y comp[]);
create function f(comp) returns comp language sql as 'select $1';
create view v as select (z).a from u;
