create table t (a text) with (autovacuum_vacuum_scale_factor = 0.5, parallel_workers = 2);
