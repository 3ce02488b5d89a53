create function g() returns int language sql as 'select 2';
create table t (a int default g());
