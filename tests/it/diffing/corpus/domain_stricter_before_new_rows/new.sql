create domain dt as varchar(20) check (value in ('a', 'b'));
create domain n as int not null;
create table parent (name dt);
create table other (n n);
create table "T-1" (r parent, o other[]);
create type comp as (p parent, n n);
create table of_comp of comp;
create domain c as comp;
create table with_comp (c c);
