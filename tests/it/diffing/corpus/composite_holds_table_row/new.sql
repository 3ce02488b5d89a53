create table r (a int, b int);
create type c as (x r, y int, z text);
