create table r (a int primary key);
create table t (a int constraint k references r deferrable initially deferred);
