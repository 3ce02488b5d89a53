create table t (a uuid default gen_random_uuid(), b int default 1, c text[] default '{a}', d inet default '1.2.3.4');
