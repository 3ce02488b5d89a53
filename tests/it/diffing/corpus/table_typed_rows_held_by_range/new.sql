create table comp (a bigint, b text);
create table u (z int, y text);
create type rt as range (subtype = comp);
create table w (r rt);
