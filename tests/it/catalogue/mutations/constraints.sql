-- Constraints of tables and domains.

--- unexpected constraint public.t.k
create table t (a int);
--- changed
alter table t add constraint k check (a > 0);
--- undone
alter table t drop constraint k;

--- constraint public.t.k: comment
--- constraint public.t.k: security_labels
create table t (a int constraint k check (a > 0));
--- changed
comment on constraint k on t is 'labelled';
:label;

--- constraint public.t.k: sort
create table t (a int not null constraint k unique);
--- changed
alter table t drop constraint k, add constraint k primary key (a);

--- constraint public.t.k: columns
--- index public.k: keys
create table t (a int, b int, constraint k unique (a, b));
--- changed
alter table t drop constraint k, add constraint k unique (b, a);

--- constraint public.t.k: check
create table t (a int constraint k check (a > 0));
--- changed
alter table t drop constraint k, add constraint k check (a > 1);

--- constraint public.t.k: exclude
--- index public.k: predicate
create table t (a circle, constraint k exclude using gist (a with &&));
--- changed
alter table t drop constraint k, add constraint k exclude using gist (a with &&) where (radius(a) > 1);

--- constraint public.t.k: exclude
create table t (a circle, constraint k exclude using gist (a with &&));
--- changed
alter table t drop constraint k, add constraint k exclude using gist (a with ~=);

--- constraint public.t.k: references
create table r (a int unique, b int unique); create table t (a int constraint k references r (a) );
update pg_constraint set conindid = 0 where conname = 'k';
--- changed
alter table t drop constraint k, add constraint k foreign key (a) references r (b);
update pg_constraint set conindid = 0 where conname = 'k';

--- constraint public.t.k: on_delete
create table r (a int primary key); create table t (a int constraint k references r);
--- changed
alter table t drop constraint k, add constraint k foreign key (a) references r on delete cascade;

--- constraint public.t.k: on_update
create table r (a int primary key); create table t (a int constraint k references r);
--- changed
alter table t drop constraint k, add constraint k foreign key (a) references r on update restrict;

--- constraint public.t.k: on_delete_columns
create table r (a int, b int, primary key (a, b));
create table t (a int, b int, constraint k foreign key (a, b) references r on delete set null);
--- changed
alter table t drop constraint k, add constraint k foreign key (a, b) references r on delete set null (b);

--- constraint public.t.k: match_full
create table r (a int primary key); create table t (a int constraint k references r);
--- changed
alter table t drop constraint k, add constraint k foreign key (a) references r match full;

--- note constraint public.t.k: relies_on
create table r (a int); create unique index i on r (a); create unique index j on r (a);
create table t (a int constraint k references r (a));
--- changed
create index kept on r (a);
alter table t drop constraint k;
update pg_index set indisvalid = not indisvalid where indexrelid = 'i'::regclass;
alter table t add constraint k foreign key (a) references r (a);
update pg_index set indisvalid = not indisvalid where indexrelid = 'i'::regclass;
drop index kept;

--- constraint public.t.k: deferrable
create table r (a int primary key); create table t (a int constraint k references r);
--- changed
alter table t alter constraint k deferrable;
--- undone
alter table t alter constraint k not deferrable;

--- constraint public.t.k: initially_deferred
create table r (a int primary key); create table t (a int constraint k references r deferrable);
--- changed
alter table t alter constraint k deferrable initially deferred;

--- constraint public.t.k: not_valid
create table t (a int, constraint k check (a > 0)); alter table t drop constraint k, add constraint k check (a > 0) not valid;
--- changed
alter table t validate constraint k;

--- constraint public.t.k: triggers
create table r (a int primary key); create table t (a int constraint k references r);
--- changed
alter table t disable trigger all;
--- undone
alter table t enable trigger all;

--- from 18
--- constraint public.t.k: not_enforced
--- constraint public.t.k: not_valid
create table t (a int, constraint k check (a > 0));
--- changed
alter table t drop constraint k, add constraint k check (a > 0) not enforced;

--- from 18
--- constraint public.t.k: period
--- index public.k: method
create table t (a int4range, b int4range, constraint k unique (a, b));
--- changed
alter table t drop constraint k, add constraint k unique (a, b without overlaps);

--- constraint public.t.k: no_inherit
create table t (a int, constraint k check (a > 0));
--- changed
alter table t drop constraint k, add constraint k check (a > 0) no inherit;

--- constraint public.c.k: declared_here
--- constraint public.c.k: inherited
--- table public.c: inherits
create table p (constraint k check (true)); create table c (constraint k check (true));
--- changed
alter table c inherit p;

--- constraint public.c.k: declared_here
create table p (constraint k check (true)); create table c (constraint k check (true)) inherits (p);
--- changed
drop table c; create table c () inherits (p);

--- column public.c.a: declared_here
create table p (a int); create table c (a int) inherits (p);
--- changed
drop table c; create table c () inherits (p);

--- from 18
--- unexpected not-null constraint public.t.k
--- column public.t.a: not_null
create table t (a int);
--- changed
alter table t add constraint k not null a;
--- undone
alter table t drop constraint k;

--- from 18
--- not-null constraint public.t.k: comment
--- not-null constraint public.t.k: security_labels
create table t (a int constraint k not null);
--- changed
comment on constraint k on t is 'labelled';
:label;

--- from 18
--- not-null constraint public.t.k: not_valid
create table t (a int); alter table t add constraint k not null a not valid;
--- changed
alter table t validate constraint k;

--- from 18
--- not-null constraint public.t.k: no_inherit
create table t (a int constraint k not null no inherit);
--- changed
alter table t alter constraint k inherit;

--- from 18
--- not-null constraint public.c.k: declared_here
--- not-null constraint public.c.k: inherited
--- column public.c.a: declared_here
--- table public.c: inherits
--- column public.c.a: inherited
create table p (a int constraint k not null); create table c (a int constraint k not null);
--- changed
alter table c inherit p;

--- from 18
--- not-null constraint public.c.k: declared_here
--- column public.c.a: declared_here
create table p (a int constraint k not null); create table c (a int constraint k not null) inherits (p);
--- changed
drop table c; create table c () inherits (p);

--- unexpected domain constraint public.d.k
create domain d as int;
--- changed
alter domain d add constraint k check (value > 0);
--- undone
alter domain d drop constraint k;

--- domain constraint public.d.k: comment
--- domain constraint public.d.k: security_labels
create domain d as int constraint k check (value > 0);
--- changed
comment on constraint k on domain d is 'labelled';
:label;

--- domain constraint public.d.k: check
create domain d as int constraint k check (value > 0);
--- changed
alter domain d drop constraint k; alter domain d add constraint k check (value > 1);

--- domain constraint public.d.k: not_valid
create domain d as int; alter domain d add constraint k check (value > 0) not valid;
--- changed
alter domain d validate constraint k;

--- from 17
--- unexpected domain not-null constraint public.d.k
--- domain public.d: not_null
create domain d as int;
--- changed
alter domain d add constraint k not null;
--- undone
alter domain d drop constraint k;

--- from 17
--- domain not-null constraint public.d.k: comment
--- domain not-null constraint public.d.k: security_labels
create domain d as int constraint k not null;
--- changed
comment on constraint k on domain d is 'labelled';
:label;

--- from 18
--- not-null constraint public.t.k: columns
--- column public.t.a: not_null
--- column public.t.b: not_null
create table t (a int constraint k not null, b int);
--- changed
alter table t drop constraint k; alter table t add constraint k not null b;
