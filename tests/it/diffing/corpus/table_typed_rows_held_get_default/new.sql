create table comp (a int, b text, c int default 4);
create table u (z comp, y comp[]);
create function f(comp) returns setof comp language sql as 'select $1';
