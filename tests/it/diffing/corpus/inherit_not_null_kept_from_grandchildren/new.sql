-- from 18
create table parent (a integer not null no inherit);
create table child (constraint refuses not null a no inherit) inherits (parent);
