create extension hstore;
create table t (a hstore, b int);
create index i on t using gin (a);
create function f(hstore) returns int language sql as 'select 1';
