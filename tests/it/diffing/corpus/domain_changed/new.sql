create domain d as int default 2 not null constraint c check (value > 1) constraint e check (value < 9);
create table t (a d);
comment on domain d is 'd';
comment on constraint c on domain d is 'c';
