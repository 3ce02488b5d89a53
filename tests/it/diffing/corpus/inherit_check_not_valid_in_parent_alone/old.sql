create table checks (a integer);
create table checks_of_child () inherits (checks);
