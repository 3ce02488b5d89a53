-- from 18
create table p (a int constraint nn not null);
create table c1 () inherits (p);
create table c2 (a int constraint own not null) inherits (p);
create table q (a int);
create table q1 (b int) inherits (q);
create table q2 (a int constraint valid not null) inherits (q);
alter table q add constraint nn not null a not valid;
create table r (a int);
create table r1 () inherits (r);
alter table r add constraint rn not null a not valid;
