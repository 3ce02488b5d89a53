create table p (a int, b text default 'q', c int generated always as (a * 2) stored, d serial) partition by range (a);
create table p1 partition of p for values from (0) to (10);
create table p2 partition of p (b default 'r') for values from (10) to (20);
alter table p2 alter d drop default;
