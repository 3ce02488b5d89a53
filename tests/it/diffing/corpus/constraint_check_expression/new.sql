create table t (a int, constraint c check (a > 1 and a < 10));
comment on constraint c on t is 'range';
