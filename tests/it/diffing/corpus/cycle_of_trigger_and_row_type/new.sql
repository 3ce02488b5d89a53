create table t (a int, b int);
create function g(t) returns bool language plpgsql immutable as 'begin return true; end';
create function tr() returns trigger language plpgsql as 'begin return new; end';
create trigger x before update on t for each row when (g(new)) execute function tr();
