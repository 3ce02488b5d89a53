create table q (kk int, v text, primary key (kk)) partition by list (kk);
create table q1 partition of q for values in (1);
create index on q (v);
create table i (aa int);
create table j (b int) inherits (i);
