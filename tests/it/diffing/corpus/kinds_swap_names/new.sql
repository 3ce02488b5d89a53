create view t as select 1 as a; create table v (x int); create procedure f() language sql as 'select 1'; create table s (a int);
