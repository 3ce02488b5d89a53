create foreign data wrapper far;
create server away foreign data wrapper far;
create table things (id int, size bigint);
create foreign table things_far (more text) inherits (things) server away;
create table parts (id int, size bigint) partition by list (id);
create foreign table parts_far partition of parts for values in (1) server away;
