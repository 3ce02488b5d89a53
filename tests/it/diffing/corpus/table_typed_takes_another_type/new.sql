create type e as (a bigint, b varchar(20), f date);
create table t of e (primary key (a), unique (f));
create index i on t (b);
