create table t (a int, b int, c int); create function tf() returns trigger language plpgsql as 'begin return new; end';
create trigger x before update of b on t for each row when (new.b > 1) execute function tf();
create index on t (a, b) where c > 1; alter table t add check (b > c), add unique (a, c);
create statistics st on a, b, c from t; create view v as select a from t where c = 1; create policy p on t using (b = 1);
