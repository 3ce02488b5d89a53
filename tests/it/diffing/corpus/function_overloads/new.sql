create function f(bigint) returns int language sql as 'select 2';
create function f(text, int default 1) returns int language sql as 'select 2';
