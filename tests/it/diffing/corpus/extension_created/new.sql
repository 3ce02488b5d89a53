create extension hstore;
create table t (a hstore);
create index i on t using gin (a);
