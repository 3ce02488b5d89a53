create function g() returns int language sql as 'select 1';
create domain d as int default g();
create table t (a d);
