create function f(out a int, out c text) language sql as 'select 1, null::text';
