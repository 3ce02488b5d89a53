create table t (a int not null constraint k unique);
create table u (a int references t (a));
