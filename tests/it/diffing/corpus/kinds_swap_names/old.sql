create table t (a int); create view v as select 1 as x; create function f() returns int language sql as 'select 1'; create sequence s;
