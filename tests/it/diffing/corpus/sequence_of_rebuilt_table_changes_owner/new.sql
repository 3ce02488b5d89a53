create table t (id int, n int) partition by range (n);
alter table t owner to pg_monitor;
create sequence a;
alter sequence a owner to pg_monitor;
alter sequence a owned by t.id;
