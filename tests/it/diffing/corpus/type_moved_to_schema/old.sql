create type c as (x int, y text, z date);
create type d as (c1 c, c2 c[], n int);
create table t (a d, b c, k d[]);
create view v as select (a).c1, ((a).c1).x from t;
create function f(d) returns c language sql as 'select ($1).c1';
create index on t (((a).n));
