create function f() returns event_trigger language plpgsql as 'begin raise exception ''no''; end';
create table t (a int);
create event trigger e on ddl_command_start when tag in ('CREATE TABLE', 'DROP TABLE') execute function f();
