create extension citext; create extension hstore; create table t (a citext primary key, h hstore default ''); create view v as select a, h -> 'x' as y from t; create index on t using gin (h);
