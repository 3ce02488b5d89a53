create procedure taken(out a int, b int, c int) language sql as 'select b - c';
create procedure kept(out a int, b int, c int) language sql as 'select b - c';
create function mixed(a int, b int) returns int language sql as 'select a + b';
create procedure lone(out a int) language sql as 'select 1';
