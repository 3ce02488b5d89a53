create table t (a int, b int, c int);
create statistics s (ndistinct) on a, b from t;
