create table parent (a integer constraint positive check (a > 0));
create table child () inherits (parent);
