create type level;
create function level_in(cstring) returns level language internal strict immutable as 'int4in';
create function level_out(level) returns cstring language internal strict immutable as 'int4out';
