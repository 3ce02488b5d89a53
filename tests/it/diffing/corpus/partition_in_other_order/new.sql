create table t (a int, b text) partition by list (a);
create table p (x int, b text default 'q', a int not null);
alter table p drop x;
alter table t attach partition p for values in (1);
comment on table p is 'p';
