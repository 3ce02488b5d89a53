create domain d as bigint not null constraint positive check (value > 0);
create domain many as d[];
create table t (m many);
