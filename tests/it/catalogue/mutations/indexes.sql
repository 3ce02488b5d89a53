-- Indexes, triggers, rules, policies and statistics.

--- unexpected index public.i
create table t (a int);
--- changed
create index i on t (a);
--- undone
drop index i;

--- index public.i: comment
--- index public.i: security_labels
--- index public.i: extensions
create table t (a int); create index i on t (a);
--- changed
alter index i depends on extension plpgsql;
comment on index i is 'labelled';
:label;

--- index public.i: table
create table t (a int); create table u (a int); create index i on t (a);
--- changed
drop index i; create index i on u (a);

--- index public.i: method
create table t (a int); create index i on t (a);
--- changed
drop index i; create index i on t using hash (a);

--- index public.i: unique
create table t (a int); create index i on t (a);
--- changed
drop index i; create unique index i on t (a);

--- index public.i: nulls_not_distinct
create table t (a int); create unique index i on t (a);
--- changed
drop index i; create unique index i on t (a) nulls not distinct;

--- index public.i: keys
create table t (a int, b int); create index i on t (a);
--- changed
drop index i; create index i on t (b);

--- index public.i: keys
create table t (a text); create index i on t (a);
--- changed
drop index i; create index i on t (a collate "C");

--- index public.i: keys
create table t (a text); create index i on t (a);
--- changed
drop index i; create index i on t (a text_pattern_ops);

--- index public.i: keys
create table t (a text); create index i on t (a);
--- changed
drop index i; create index i on t (a desc nulls last);

--- index public.i: keys
create table t (a text); create index i on t (a);
--- changed
drop index i; create index i on t (a nulls first);

--- index public.i: keys
create table t (a text, b int); create index i on t (b, lower(a));
--- changed
drop index i; create index i on t (b, upper(a));

--- index public.i: keys
create table t (a text, b int); create index i on t (b, lower(a));
--- changed
drop index i; create index i on t (b, lower(a) collate "C");

--- index public.i: include
create table t (a int, b int); create index i on t (a);
--- changed
drop index i; create index i on t (a) include (b);

--- index public.i: predicate
create table t (a int); create index i on t (a) where a > 0;
--- changed
drop index i; create index i on t (a) where a > 1;

--- index public.i: options
create table t (a int); create index i on t (a);
--- changed
alter index i set (fillfactor = 70);

--- index public.i: tablespace
set allow_in_place_tablespaces = on;
create tablespace ":db" location '';
create table t (a int); create index i on t (a);
--- changed
alter index i set tablespace ":db";
--- removed
drop table t;
drop tablespace ":db";

--- index public.i: column_settings
create table t (a int); create index i on t ((a + 1));
--- changed
alter index i alter column 1 set statistics 50;
--- undone
alter index i alter column 1 set statistics -1;

--- index public.i: column_settings
create table t (a tsvector); create index i on t using gist (a);
--- changed
drop index i; create index i on t using gist (a tsvector_ops (siglen = 100));

--- index public.i: column_settings
create function f(internal) returns void language internal as 'gtsvector_options' immutable parallel safe strict;
create operator class o for type int using btree as operator 1 <, operator 3 =, function 1 btint4cmp(int, int), function 5 f(internal);
create table t (a int); create index i on t (a o);
--- changed
drop index i; create index i on t (a o (siglen = 100));

--- index public.i: invalid
create table t (a int) partition by range (a); create index i on t (a);
--- changed
drop index i; create table p partition of t for values from (1) to (2); create index i on only t (a); drop table p;

--- index public.i: clustered
create table t (a int); create index i on t (a);
--- changed
cluster t using i;
--- undone
alter table t set without cluster;

--- index public.i: replica_identity
--- table public.t: replica_identity
create table t (a int not null); create unique index i on t (a);
--- changed
alter table t replica identity using index i;
--- undone
alter table t replica identity default;

--- index public.j: attached_to
--- index public.i: invalid
create table t (a int) partition by range (a); create table p partition of t for values from (1) to (2);
create index i on only t (a); create index j on p (a);
--- changed
alter index i attach partition j;

--- unexpected trigger public.t.g
create table t ();
--- changed
create trigger g before update on t for each row execute function suppress_redundant_updates_trigger();
--- undone
drop trigger g on t;

--- trigger public.t.g: comment
--- trigger public.t.g: security_labels
--- trigger public.t.g: extensions
create table t (); create trigger g before update on t for each row execute function suppress_redundant_updates_trigger();
--- changed
alter trigger g on t depends on extension plpgsql;
comment on trigger g on t is 'labelled';
:label;

--- trigger public.t.g: definition
create table t (); create trigger g before update on t for each row execute function suppress_redundant_updates_trigger();
--- changed
create or replace trigger g after update on t for each row execute function suppress_redundant_updates_trigger();

--- trigger public.t.g: state
create table t (); create trigger g before update on t for each row execute function suppress_redundant_updates_trigger();
--- changed
alter table t enable always trigger g;
--- undone
alter table t enable trigger g;

--- trigger public.t.g: on_truncate
--- trigger public.t.g: definition
create table t (); create trigger g after update on t execute function suppress_redundant_updates_trigger();
--- changed
create or replace trigger g after update or truncate on t execute function suppress_redundant_updates_trigger();

--- trigger public.t.g: constraint
--- trigger public.t.g: definition
create table t (); create trigger g after update on t for each row execute function suppress_redundant_updates_trigger();
--- changed
drop trigger g on t;
create constraint trigger g after update on t for each row execute function suppress_redundant_updates_trigger();

--- trigger public.t.g: columns
--- trigger public.t.g: definition
create table t (a int); create trigger g before update on t for each row execute function suppress_redundant_updates_trigger();
--- changed
create or replace trigger g before update of a on t for each row execute function suppress_redundant_updates_trigger();

--- trigger public.p.g: inherited
--- unexpected trigger public.t.g
create function f() returns trigger language plpgsql as $$ begin return null; end $$;
create table t (a int) partition by range (a); create table p partition of t for values from (1) to (2);
create trigger g after insert on p for each row execute function f();
--- changed
drop trigger g on p; create trigger g after insert on t for each row execute function f();

--- unexpected rule public.t.r
create table t ();
--- changed
create rule r as on update to t do nothing;
--- undone
drop rule r on t;

--- rule public.t.r: comment
--- rule public.t.r: security_labels
create table t (); create rule r as on update to t do nothing;
--- changed
comment on rule r on t is 'labelled';
:label;

--- rule public.t.r: definition
create table t (); create rule r as on update to t do notify a;
--- changed
create or replace rule r as on update to t do notify b;

--- rule public.t.r: definition
--- rule public.t.r: event
create table t (); create rule r as on update to t do nothing;
--- changed
create or replace rule r as on insert to t do nothing;

--- rule public.t.r: definition
--- rule public.t.r: instead
create table t (); create rule r as on update to t do nothing;
--- changed
create or replace rule r as on update to t do instead nothing;

--- rule public.t.r: state
create table t (); create rule r as on update to t do nothing;
--- changed
alter table t disable rule r;

--- unexpected policy public.t.p
create table t ();
--- changed
create policy p on t;
--- undone
drop policy p on t;

--- policy public.t.p: comment
--- policy public.t.p: security_labels
create table t (); create policy p on t;
--- changed
comment on policy p on t is 'labelled';
:label;

--- policy public.t.p: command
create table t (); create policy p on t;
--- changed
drop policy p on t; create policy p on t for select;

--- policy public.t.p: restrictive
create table t (); create policy p on t;
--- changed
drop policy p on t; create policy p on t as restrictive;

--- policy public.t.p: roles
create table t (); create policy p on t;
--- changed
alter policy p on t to pg_monitor;

--- policy public.t.p: using
create table t (); create policy p on t using (true);
--- changed
alter policy p on t using (false);

--- policy public.t.p: check
create table t (); create policy p on t with check (true);
--- changed
alter policy p on t with check (false);

--- unexpected statistics public.s
create table t (a int, b int);
--- changed
create statistics s on a, b from t;
--- undone
drop statistics s;

--- statistics public.s: owner
--- statistics public.s: comment
--- statistics public.s: security_labels
create table t (a int, b int); create statistics s on a, b from t;
--- changed
alter statistics s owner to pg_monitor;
comment on statistics s is 'labelled';
:label;

--- statistics public.s: definition
create table t (a int, b int); create statistics s (ndistinct) on a, b from t;
--- changed
drop statistics s; create statistics s (mcv) on a, b from t;

--- statistics public.s: target
create table t (a int, b int); create statistics s on a, b from t;
--- changed
alter statistics s set statistics 50;
