create table t (a text default '1', b int, c timestamp);
