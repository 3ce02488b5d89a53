create table r (id int primary key);
create table t (id int not null, r_id int, constraint c foreign key (r_id) references r) partition by list (id);
create table t1 (id int not null, r_id int, constraint c check (true)) ;
create table t2 (id int not null, r_id int, constraint c check (r_id > 0)) partition by list (id);
create table t21 (id int not null, r_id int, constraint c_1 check (id > 0), constraint c check (r_id > 0));
alter table t2 attach partition t21 for values in (2);
create table s (id int primary key, s_id int, constraint c foreign key (s_id) references s) partition by list (id);
create table s1 (id int primary key, s_id int, constraint c check (true), constraint kept foreign key (s_id) references s);
