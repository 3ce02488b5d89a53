create table t (a int, b text);
create view v1 as select a, b from t; create view v2 as select a + 1 as a1, b from v1; create view v3 as select sum(a1) as s, b from v2 group by b;
create materialized view m as select * from v3; create unique index on m (b); grant select on v2 to public; comment on view v3 is 'q';
create function f() returns setof v3 language sql as 'select * from v3';
create rule r as on insert to v1 do instead insert into t values (new.a, new.b);
