create table t (a int);
create view v1 as select a from t;
create view v2 as select a from v1;
create or replace view v1 as select a from t where a > 3;
create rule r as on insert to v1 do instead insert into v2 values (new.a);
create rule r as on insert to v2 do instead insert into t values (new.a);
