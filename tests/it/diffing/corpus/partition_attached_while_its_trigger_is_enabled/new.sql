create function f() returns trigger language plpgsql as 'begin return new; end';
create table p (a int) partition by range (a);
create trigger t before insert on p for each row execute function f();
create table q partition of p for values from (0) to (10);
