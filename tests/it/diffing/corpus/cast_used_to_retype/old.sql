create type e as enum ('a', 'b');
create function e2i(e) returns int language sql immutable as $$select case when $1 = 'a' then 1 else 2 end$$;
create cast (e as int) with function e2i(e);
create table t (a e);
