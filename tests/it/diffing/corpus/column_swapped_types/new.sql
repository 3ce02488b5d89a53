create table t (a text default 'x', b boolean default false, c int default 2);
