create table t (a int default 1, b timestamptz, c jsonb);
