create type e2 as enum ('x', 'y');
create domain d2 as int check (value > 0);
create type c2 as (aa int, b text);
create sequence s2;
create table t (e e2 default 'x', d d2, c c2, s bigint default nextval('s2'), f e2[]);
create materialized view m2 as select e from t;
create index on m2 (e);
