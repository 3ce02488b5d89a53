create type e as enum ('x');
create domain d as int check (value > 0);
create type c as (a int, b text);
create sequence s;
create table t (e e default 'x', d d, c c, s bigint default nextval('s'), f e[]);
create materialized view m as select e from t;
create index on m (e);
