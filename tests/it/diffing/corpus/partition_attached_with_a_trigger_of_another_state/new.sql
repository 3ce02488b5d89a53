create function f() returns trigger language plpgsql as 'begin return new; end';
create table p (a int) partition by range (a);
create trigger t before insert on p for each row execute function f();
create table q partition of p for values from (0) to (10);
create table r partition of p for values from (20) to (30) partition by range (a);
create table s partition of r for values from (20) to (25);
alter table only p enable always trigger t;
alter table only r enable replica trigger t;
alter table only s enable trigger t;
