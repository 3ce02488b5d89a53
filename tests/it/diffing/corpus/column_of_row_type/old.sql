create table r (a int);
create table t (b r, c r[]);
