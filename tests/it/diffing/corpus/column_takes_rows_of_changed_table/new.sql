create table parent (id int primary key, name varchar(20), more text);
create table t (r parent, s parent[]);
