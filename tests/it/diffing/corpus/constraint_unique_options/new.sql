create table t (a int, b int, constraint u unique nulls not distinct (a) include (b) with (fillfactor = 50) deferrable initially deferred);
