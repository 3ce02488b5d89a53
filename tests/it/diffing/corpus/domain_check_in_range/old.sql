create domain d as bigint;
create type r as range (subtype = d);
create table t (r r, m r_multirange);
