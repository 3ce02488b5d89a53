create table a (id int unique not null, code text primary key);
create table b (a_code text references a, a_id int references a (id));
