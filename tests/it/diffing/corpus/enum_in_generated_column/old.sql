create type e as enum ('a', 'b');
create table t (a e, b boolean generated always as (a = 'a') stored);
