create extension tablefunc;
create table totals (row tablefunc_crosstab_2);
create view crossed as select * from crosstab('select 1, 2, 3') as it (a int, b int);
