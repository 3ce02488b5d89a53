create type e as enum ('b', 'a');
create table t (a e, b boolean generated always as (a = 'a') stored);
