create table whole (a integer) partition by list (a);
