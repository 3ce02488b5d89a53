create table stays (a integer);
create table users (id integer primary key, name text);
alter table users add constraint also_unique unique (id);
alter table users add constraint unique_name unique (name);
alter table users add constraint unique_name_twice unique (name);
