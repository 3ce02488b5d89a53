create table r (a int primary key);
create table t (a int);
alter table t add constraint k foreign key (a) references r not valid;
