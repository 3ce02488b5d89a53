create type c as (a int, b text, d int);
create table holder (x c);
create table t of c (primary key (a), b with options default '7' not null);
create table u (e int) inherits (t);
create index i on u (b);
create view v as select a, b || 'x' as x from u;
create table k (a int references t);
comment on column t.b is 'kept';
