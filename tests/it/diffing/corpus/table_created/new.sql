create table t (a int not null, b text default 'x', c numeric(10, 2));
comment on table t is 'it''s';
comment on column t.a is 'number';
