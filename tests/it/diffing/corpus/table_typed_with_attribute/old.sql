create type c as (a int, b text);
create table t of c (primary key (a), b with options default 'x' not null);
