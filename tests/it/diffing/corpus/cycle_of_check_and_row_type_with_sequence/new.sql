create table notes (id serial primary key, body text);
create function is_short(notes) returns boolean language sql immutable as $$select length(($1).body) < 10$$;
alter table notes add constraint short check (is_short(notes));
