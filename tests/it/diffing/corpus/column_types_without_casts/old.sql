create table t (a bigint, b text, c int, d bool, e text[], f jsonb, g timestamptz, h numeric, i bytea, j uuid, k date);
