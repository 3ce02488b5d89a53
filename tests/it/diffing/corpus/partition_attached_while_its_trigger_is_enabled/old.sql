create function f() returns trigger language plpgsql as 'begin return new; end';
create table p (a int) partition by range (a);
create trigger t before insert on p for each row execute function f();
alter table p disable trigger t;
create table q (a int);
