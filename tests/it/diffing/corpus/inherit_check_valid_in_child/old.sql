create table parent (a integer);
create table child () inherits (parent);
alter table parent add constraint positive check (a > 0);
