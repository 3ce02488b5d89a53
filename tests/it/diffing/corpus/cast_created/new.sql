create type e as enum ('a');
create cast (e as int) with inout as assignment;
create function f(e) returns bigint language sql as 'select 1::bigint';
create cast (e as bigint) with function f(e) as implicit;
comment on cast (e as int) is 'c';
