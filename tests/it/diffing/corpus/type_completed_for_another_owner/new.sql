create type level;
create function level_in(cstring) returns level language internal strict immutable as 'int4in';
create function level_out(level) returns cstring language internal strict immutable as 'int4out';
create type level (input = level_in, output = level_out, internallength = 4, passedbyvalue);
alter type level owner to pg_monitor;
