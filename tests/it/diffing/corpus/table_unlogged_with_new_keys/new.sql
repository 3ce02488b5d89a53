create unlogged table r (a int primary key);
create table t (a int, b int, primary key (b));
create table others (a int primary key, b int references t);
create table more (b int references t);
