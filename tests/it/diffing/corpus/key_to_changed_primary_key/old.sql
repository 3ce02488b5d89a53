create table a (id int primary key, code text unique not null);
create table b (a_code text references a (code), a_id int references a);
