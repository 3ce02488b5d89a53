-- Publications, subscriptions and event triggers.

--- unexpected publication p
--- changed
create publication p;
--- undone
drop publication p;

--- publication p: owner
--- publication p: comment
--- publication p: security_labels
create publication p;
--- changed
grant create on database ":db" to pg_monitor; alter publication p owner to pg_monitor;
revoke create on database ":db" from pg_monitor;
comment on publication p is 'labelled';
:label;

--- publication p: all_tables
create publication p;
--- changed
drop publication p; create publication p for all tables;

--- publication p: tables
create table t (); create publication p;
--- changed
alter publication p add table t;

--- publication p: tables
create table t (a int, b int); create publication p for table t (a);
--- changed
alter publication p set table t (a, b);

--- publication p: tables
create table t (a int, b int); create publication p for table t;
--- changed
alter publication p set table t where (a > 0);

--- publication p: schemas
create publication p;
--- changed
alter publication p add tables in schema public;

--- publication p: publishes
create publication p;
--- changed
alter publication p set (publish = 'insert');

--- publication p: via_root
create publication p;
--- changed
alter publication p set (publish_via_partition_root);

--- from 18
--- publication p: generated_columns
create publication p;
--- changed
alter publication p set (publish_generated_columns = stored);

--- unexpected subscription s
--- changed
create subscription s connection 'dbname=x' publication p with (connect = false, slot_name = none);
--- undone
drop subscription s;

--- subscription s: owner
--- subscription s: comment
--- subscription s: security_labels
create subscription s connection 'dbname=x' publication p with (connect = false, slot_name = none);
--- changed
update pg_subscription set subowner = 'pg_monitor'::regrole where subname = 's' and subdbid = (select oid from pg_database where datname = current_database());
comment on subscription s is 'labelled';
:label;
--- removed
drop subscription s;

--- subscription s: enabled
create subscription s connection 'dbname=x' publication p with (connect = false, slot_name = none);
--- changed
update pg_subscription set subenabled = true where subname = 's' and subdbid = (select oid from pg_database where datname = current_database());
--- removed
update pg_subscription set subenabled = false where subname = 's' and subdbid = (select oid from pg_database where datname = current_database());
drop subscription s;

--- subscription s: publications
create subscription s connection 'dbname=x' publication p with (connect = false, slot_name = none);
--- changed
alter subscription s set publication q with (refresh = false);
--- removed
drop subscription s;

--- subscription s: slot
create subscription s connection 'dbname=x' publication p with (connect = false, slot_name = none);
--- changed
alter subscription s set (slot_name = 'x');
--- removed
alter subscription s set (slot_name = none);
drop subscription s;

--- subscription s: options
create subscription s connection 'dbname=x' publication p with (connect = false, slot_name = none);
--- changed
alter subscription s set (binary = true);
--- removed
drop subscription s;

--- unexpected event trigger e
create function f() returns event_trigger language plpgsql as 'begin end';
--- changed
create event trigger e on ddl_command_start execute function f();
--- undone
drop event trigger e;

--- event trigger e: comment
--- event trigger e: security_labels
create function f() returns event_trigger language plpgsql as 'begin end';
create event trigger e on ddl_command_start execute function f();
--- changed
comment on event trigger e is 'labelled';
:label;

--- event trigger e: owner
create function f() returns event_trigger language plpgsql as 'begin end';
create event trigger e on ddl_command_start execute function f();
--- changed
update pg_event_trigger set evtowner = 'pg_monitor'::regrole;

--- event trigger e: event
create function f() returns event_trigger language plpgsql as 'begin end';
create event trigger e on ddl_command_start execute function f();
--- changed
drop event trigger e; create event trigger e on ddl_command_end execute function f();

--- event trigger e: function
create function f() returns event_trigger language plpgsql as 'begin end';
create function g() returns event_trigger language plpgsql as 'begin end';
create event trigger e on ddl_command_start execute function f();
--- changed
drop event trigger e; create event trigger e on ddl_command_start execute function g();

--- event trigger e: tags
create function f() returns event_trigger language plpgsql as 'begin end';
create event trigger e on ddl_command_start when tag in ('CREATE TABLE') execute function f();
--- changed
drop event trigger e;
create event trigger e on ddl_command_start when tag in ('CREATE TABLE', 'DROP TABLE') execute function f();

--- event trigger e: state
create function f() returns event_trigger language plpgsql as 'begin end';
create event trigger e on ddl_command_start execute function f();
--- changed
alter event trigger e disable;
