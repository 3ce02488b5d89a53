create table t (a int, name text);
insert into t values (1, 'One');
