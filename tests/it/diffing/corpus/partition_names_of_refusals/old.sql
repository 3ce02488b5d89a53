-- from 18
create table q (a int, b int, c int constraint qc not null) partition by list (a);
create table q1 (a int, b int, c int constraint q1c not null);
alter table q attach partition q1 for values in (1);
create table q2 partition of q for values in (2);
create table q3 (a int, b int, c int constraint q3c not null) partition by list (b);
create table q31 (a int, b int, c int constraint q31c not null);
alter table q3 attach partition q31 for values in (1);
alter table q attach partition q3 for values in (3);
