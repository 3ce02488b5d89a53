create table t (k int, v text) partition by range (lower(v) collate "C" text_pattern_ops, k);
create table t1 partition of t for values from ('a', minvalue) to ('b', maxvalue);
