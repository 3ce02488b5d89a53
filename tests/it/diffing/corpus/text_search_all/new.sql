create text search dictionary d (template = simple, stopwords = english);
create text search configuration c (parser = default);
alter text search configuration c add mapping for asciiword, word with d, english_stem;
create text search parser tp (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype);
create text search template tt (init = dsimple_init, lexize = dsimple_lexize);
create table t (a text);
create index i on t using gin (to_tsvector('public.c', a));
comment on text search configuration c is 'c';
