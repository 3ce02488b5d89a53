create type comp as (a text, b bigint);
create table t (id int primary key, c comp, d comp[] compression lz4);
alter table t alter c set storage external;
alter table t alter d set storage main;
alter table t alter c set statistics 7;
