create function f() returns int language sql stable strict security definer cost 5 set work_mem = '1MB' as 'select 1';
