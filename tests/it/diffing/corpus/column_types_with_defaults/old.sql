create table t (a int default 5, b uuid default gen_random_uuid(), c int[] default '{1}', d text default 'x');
