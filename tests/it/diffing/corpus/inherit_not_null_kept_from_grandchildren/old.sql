-- from 18
create table parent (a integer not null);
