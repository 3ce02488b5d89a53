create table t (a int, b int);
create function g(t) returns int language plpgsql immutable as 'begin return 1; end';
create index i on t (g(t));
create policy p on t using (g(t) > 0);
create function h(t) returns int language sql immutable as 'select 1';
create statistics s on (a + b), (a - b) from t;
create rule r as on delete to t do instead select g(old);
