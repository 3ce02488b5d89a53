create table t (a int);
comment on table t is 'one';
comment on column t.a is 'x';
comment on schema public is 'p';
