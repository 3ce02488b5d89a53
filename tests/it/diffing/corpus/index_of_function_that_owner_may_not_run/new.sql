create table t (id int primary key, p int);
create table u (id int primary key, p int);
create function f(int) returns int language plpgsql immutable as 'begin return $1; end';
create index i on t (f(p));
create index j on u (f(p));
alter table t owner to pg_monitor;
revoke execute on function f from public;
