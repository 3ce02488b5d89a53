create sequence s;
create function next_s() returns bigint language sql as 'select nextval(''s'')';
create table t (a int, name text, b bigint not null default next_s());
insert into t values (2, 'Two');
