create type comp as (a int, b varchar(5));
create type outerc as (x comp, y comp[], z int);
create table t of outerc;
create domain dc as comp check ((value).a > 0);
create table u (z dc);
