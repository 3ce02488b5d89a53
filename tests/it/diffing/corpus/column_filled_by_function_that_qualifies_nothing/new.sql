create sequence s;
create function next_s() returns bigint language sql as 'select nextval(''s'')';
create function plain(text) returns text language sql immutable as 'select lower($1)';
create function key_of(text) returns text language plpgsql immutable as 'begin return plain($1); end';
create table t (a int, name text, b bigint not null default next_s());
create index on t (key_of(name));
insert into t values (2, 'Two');
