create domain dt as varchar(20) check (value <> '');
create domain n as int;
create table parent (name dt);
create table other (n n);
