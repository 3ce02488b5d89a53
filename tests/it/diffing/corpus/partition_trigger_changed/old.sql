create table t (a int not null, b text, c int) partition by range (a);
create table p1 partition of t for values from (1) to (10);
create function f() returns trigger language plpgsql as 'begin return new; end';
create trigger g after insert on t for each row execute function f();
alter table p1 disable trigger g;
