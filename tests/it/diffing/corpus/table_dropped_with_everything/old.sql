create table r (a int primary key);
create table t (id serial primary key, a int references r, b text default 'x');
create index i on t (b);
create function f() returns trigger language plpgsql as 'begin return new; end';
create trigger g after insert on t for each row execute function f();
create view v as select b from t;
create policy p on t using (true);
create statistics s on a, b from t;
