create type c as (a bigint, b text);
create table t (x c, y c[]);
create function f(c) returns c language sql as 'select $1';
