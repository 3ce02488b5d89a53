-- from 18
create table p (a int);
create table c1 () inherits (p);
create table c2 (a int) inherits (p);
alter table p add constraint nn not null a not valid;
create table q (a int);
create table r (a int);
alter table r add constraint rn not null a not valid;
