create table parent (id int not null, name varchar(30) default 'm', st text not null default 'b');
create table t (id int, a int, b text, c int[], j jsonb, p int, primary key (id), constraint ck check (a > 0));
alter table t add constraint late check (p <> 3) not valid;
create table child (d int, a int) inherits (t, parent);
