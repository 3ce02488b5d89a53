-- from 18
create table p (a int constraint nn not null);
create table c1 (a int constraint own not null) inherits (p);
create table c2 (a int) inherits (p);
create table c11 (a int constraint deep not null) inherits (c1);
create table q (a int, b int constraint qb not null) partition by list (a);
create table q1 (a int, b int constraint q1b not null);
alter table q attach partition q1 for values in (1);
