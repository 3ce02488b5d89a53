create type c as (a int, b text, d int);
create table t of c (primary key (a), check (d > 0));
create index i on t (b);
