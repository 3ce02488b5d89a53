create domain d as int;
create function f(d) returns bool language plpgsql immutable as 'begin return true; end';
alter domain d add constraint c check (f(value::d));
