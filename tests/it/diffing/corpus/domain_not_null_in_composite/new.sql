create domain d as bigint default 2 not null;
create domain outer_d as d;
create type comp as (a bigint, b d);
create type outer_comp as (o outer_d);
create table t (r comp);
create table u (r comp[], o outer_comp);
