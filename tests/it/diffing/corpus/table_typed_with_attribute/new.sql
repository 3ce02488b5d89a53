create type c as (a int, b text, d int);
create table t of c (primary key (a), b with options default 'y', check (d > 0));
