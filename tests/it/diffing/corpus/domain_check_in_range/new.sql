create domain d as bigint not null constraint positive check (value > 0);
create type r as range (subtype = d);
create table t (r r, m r_multirange);
