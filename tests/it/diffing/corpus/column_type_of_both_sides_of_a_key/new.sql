create table r (a text primary key);
create table t (a text references r);
