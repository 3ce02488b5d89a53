create table parent (a integer);
create table child (constraint positive check (a > 0)) inherits (parent);
