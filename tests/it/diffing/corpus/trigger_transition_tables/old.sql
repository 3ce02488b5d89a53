create table t (a int);
create function f() returns trigger language plpgsql as 'begin return null; end';
