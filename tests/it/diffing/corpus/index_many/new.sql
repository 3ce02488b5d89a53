create table t (a int, b text, c int[]);
create index i1 on t (a desc, b collate "C" text_pattern_ops nulls first);
create unique index i2 on t (lower(b)) where a > 0;
create index i3 on t using gin (c) with (fastupdate = off);
create index i4 on t using hash (b);
create unique index i5 on t (a) include (b) nulls not distinct;
create index i6 on t ((a + 1), (b || 'x')) with (fillfactor = 50);
alter index i6 alter column 1 set statistics 100;
comment on index i1 is 'one';
