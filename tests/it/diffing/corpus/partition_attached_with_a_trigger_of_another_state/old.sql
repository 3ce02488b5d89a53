create function f() returns trigger language plpgsql as 'begin return new; end';
create table p (a int) partition by range (a);
create trigger t before insert on p for each row execute function f();
alter table p enable always trigger t;
create table q (a int);
create table r (a int) partition by range (a);
create table s partition of r for values from (20) to (25);
