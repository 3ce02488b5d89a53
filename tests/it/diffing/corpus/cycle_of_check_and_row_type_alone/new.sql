create table t (a int, b int);
create function f(t) returns bool language plpgsql immutable as 'begin return true; end';
alter table t add check (f(t));
