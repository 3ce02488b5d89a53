create type f as enum ('a', 'c');
create table t (a f default 'c', b f[]);
