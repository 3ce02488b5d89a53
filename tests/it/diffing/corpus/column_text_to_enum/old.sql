create table t (a text default 'a');
create index i on t (a);
