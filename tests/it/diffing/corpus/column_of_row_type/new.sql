create table r (a int, d text);
create table t (b r, c r[]);
