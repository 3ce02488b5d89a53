create function f() returns int language sql as 'select 1';
create domain d as int default f();
create table t (a d);
