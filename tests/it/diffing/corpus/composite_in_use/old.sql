create type c as (a int, b text);
create table t (x c, y c[]);
create function f(c) returns c language sql as 'select $1';
