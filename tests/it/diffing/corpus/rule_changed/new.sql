create table t (a int);
create rule r as on insert to t do instead nothing;
alter table t disable rule r;
comment on rule r on t is 'r';
