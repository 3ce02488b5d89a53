create table t (a timestamptz, b jsonb, c bool, d int, e jsonb, f text, g bigint, h text, i text, j text, k timestamptz);
