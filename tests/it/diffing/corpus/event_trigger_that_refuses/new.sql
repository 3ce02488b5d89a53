create function refuse() returns event_trigger language plpgsql as $$
begin
    raise exception 'no % here', tg_tag;
end
$$;
create table notes (id int, body text);
create table more (id int);
create event trigger careful on ddl_command_end when tag in ('CREATE TABLE', 'ALTER TABLE') execute function refuse();
alter event trigger careful disable;
