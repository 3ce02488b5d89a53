create type address as (street text, city text);
create function home() returns address language sql as $$select 'a', 'b'$$;
create type person as (name text, home address);
create view homes as select (home()).*;
grant execute on function home() to pg_monitor;
comment on column address.city is 'Where.';
