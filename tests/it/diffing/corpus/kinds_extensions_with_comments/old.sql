create schema ext;
create extension hstore schema ext;
create extension citext schema ext;
create extension pg_trgm schema ext;
create table t (id bigserial primary key, h ext.hstore, c ext.citext unique, tags text[]);
create index on t using gin (c ext.gin_trgm_ops);
create view v as select id, c from t where c = 'x';
alter table t owner to pg_monitor;
grant update on t to public;
