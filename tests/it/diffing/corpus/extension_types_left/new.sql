create schema ext; create extension citext schema ext; create table t (a text primary key, h jsonb default '{}'); create view v as select a, h -> 'x' as y from t; create index on t using gin (h);
