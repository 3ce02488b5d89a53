create table r (a int);
create type c as (x r, y int);
