create table t (id bigint generated always as identity primary key, n int not null default 3);
create table u (t bigint references t on delete cascade);
