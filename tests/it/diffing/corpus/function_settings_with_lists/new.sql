create function f() returns integer language sql as 'select 1'
    set search_path to 'a"b', public, ''
    set local_preload_libraries to 'Mixed/Case', 'c:/''a"/path', '', '0123456789012345678901234567890123456789012345678901234567890123456789';
