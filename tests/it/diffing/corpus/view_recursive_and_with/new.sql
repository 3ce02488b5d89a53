create table t (a int, p int);
create recursive view r (n) as values (1) union all select n + 1 from r where n < 5;
create view w as with x as (select a from t) select x.a, (select count(*) from t) as c from x order by 1 limit 5;
