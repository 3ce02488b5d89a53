create table t (a int);
create rule r as on insert to t do also notify x;
alter table t disable rule r;
