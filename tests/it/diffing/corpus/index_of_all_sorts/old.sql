create table t (a int, b text, c tsvector, d point, e int4range, f jsonb);
