create table r (id int primary key);
create table p (a int, b text, c int references r) partition by range (a);
create table p1 partition of p for values from (0) to (10);
create table p2 (a int, b text, c int, constraint mine foreign key (c) references r on delete cascade);
alter table p attach partition p2 for values from (10) to (20);
