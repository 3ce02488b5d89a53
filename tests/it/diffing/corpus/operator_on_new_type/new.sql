create type c as (x int);
create function eq(c, c) returns boolean language sql immutable as 'select ($1).x = ($2).x';
create operator ~= (leftarg = c, rightarg = c, function = eq, commutator = ~=);
create table t (a c, check (a ~= row(1)::c));
