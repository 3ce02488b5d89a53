create table things (a int, b int generated always as (a * 2) stored);
create table boxes () inherits (things);
create table bags (c int) inherits (boxes);
