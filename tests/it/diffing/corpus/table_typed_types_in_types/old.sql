create type comp as (a int, b varchar(5) collate "C");
create type outerc as (x comp, y comp[]);
create table t of outerc;
create table u (z outerc);
