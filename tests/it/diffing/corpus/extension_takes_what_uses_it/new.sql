create extension citext;
create function lowered(citext) returns text language sql immutable as $$select lower($1)$$;
alter function lowered(citext) depends on extension citext;
