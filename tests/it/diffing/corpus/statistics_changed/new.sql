create table t (a int, b int, c int);
create statistics s (mcv, dependencies) on a, b, (c + 1) from t;
alter statistics s set statistics 50;
comment on statistics s is 's';
