create table checks (a integer);
create table checks_of_child () inherits (checks);
alter table checks_of_child add constraint positive check (a > 0);
alter table checks add constraint positive check (a > 0) not valid;
