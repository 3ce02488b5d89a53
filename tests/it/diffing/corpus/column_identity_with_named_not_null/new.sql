-- from 18
create table t (a int, id bigint generated always as identity constraint filled not null);
