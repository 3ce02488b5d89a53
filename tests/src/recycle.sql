-- What a database needs in order to be cleaned in place: a copy of its rows, and triggers that note what can't be undone.
create schema scratch_recycle;

create table scratch_recycle.dirty (tag text not null);

create function scratch_recycle.note() returns event_trigger language plpgsql as $$
begin
    insert into scratch_recycle.dirty values (tg_tag);
end $$;

-- Every table that can hold rows; `copy` holds those that it had at first, `since` is the transaction that wrote them.
create table scratch_recycle.tables (
    relation regclass primary key,
    copy     regclass,
    columns  text,
    rows     bigint not null,
    since    bigint not null
);

create table scratch_recycle.sequences (
    relation   regclass primary key,
    last_value bigint not null,
    is_called  boolean not null
);

-- What Postgres keeps about this database outside of it: its limit, rights and settings.
create function scratch_recycle.outside() returns text language sql as $$
    select concat_ws(' ', datconnlimit, (select string_agg(item::text, ' ' order by item::text) from unnest(datacl) item),
                     (select string_agg(setrole || setconfig::text, ' ' order by setrole)
                      from pg_db_role_setting where setdatabase = oid))
    from pg_database where datname = current_database()
$$;

create table scratch_recycle.given_outside as select scratch_recycle.outside() as state;

do $$
declare
    relation regclass;
    copy     text;
    listed   text;
    found    bigint;
begin
    for relation in
        select oid from pg_class
        where relkind = 'r' and relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
          and relnamespace <> 'scratch_recycle'::regnamespace and relnamespace::regnamespace::text not like 'pg\_%'
    loop
        execute format('select count(*) from only %s', relation) into found;
        copy := null;
        if found > 0 then
            copy := format('scratch_recycle.rows_%s', relation::oid);
            select string_agg(quote_ident(attname), ', ' order by attnum) into listed
            from pg_attribute where attrelid = relation and attnum > 0 and not attisdropped and attgenerated = '';
            execute format('create table %s as select %s from only %s', copy, listed, relation);
        end if;
        insert into scratch_recycle.tables
        values (relation, copy::regclass, listed, found, (pg_current_xact_id()::text::bigint & 4294967295));
    end loop;
    for relation in
        select oid from pg_class where relkind = 'S' and relnamespace::regnamespace::text not like 'pg\_%'
    loop
        execute format('insert into scratch_recycle.sequences select %L, last_value, is_called from %s', relation, relation);
    end loop;
end $$;

-- Puts every row back as it was. False: something else was changed, and the database has to go.
create function scratch_recycle.clean() returns boolean language plpgsql as $$
declare
    held    record;
    now_at  bigint;
    called  boolean;
    changed boolean;
begin
    -- What pg_stat_activity asks, without what it joins: in a session this young each catalogue costs its first reading.
    perform pg_terminate_backend(pid, 5000) from pg_stat_get_activity(null)
    where datid = (select oid from pg_database where datname = current_database()) and pid <> pg_backend_pid();
    if exists (select from scratch_recycle.dirty)
        or exists (select from pg_largeobject_metadata)
        or not exists (select from scratch_recycle.given_outside where state = scratch_recycle.outside())
        or exists (select from pg_prepared_xacts where database = current_database())
    then
        return false;
    end if;
    for held in select * from scratch_recycle.sequences loop
        execute format('select last_value, is_called from %s', held.relation) into now_at, called;
        if (now_at, called) is distinct from (held.last_value, held.is_called) then
            return false;
        end if;
    end loop;
    -- Neither triggers nor foreign keys have a say in this.
    set local session_replication_role = replica;
    -- A file without a page holds no row, which is sooner seen than asked.
    for held in
        select * from scratch_recycle.tables where copy is not null or pg_relation_size(relation) > 0
    loop
        if held.copy is null then
            execute format('delete from only %s', held.relation);
        else
            execute format('select count(*) <> %s or coalesce(bool_or(xmin::text::bigint > %s), false) from only %s',
                           held.rows, held.since, held.relation) into changed;
            if changed then
                execute format('delete from only %s', held.relation);
                execute format('insert into %s (%s) overriding system value select %s from %s',
                               held.relation, held.columns, held.columns, held.copy);
                update scratch_recycle.tables set since = pg_current_xact_id()::text::bigint & 4294967295
                where relation = held.relation;
            end if;
        end if;
    end loop;
    return true;
end $$;

-- Last, so that they note nothing of the above; `always`, since a test may switch triggers off.
create event trigger scratch_recycle_ddl on ddl_command_end execute function scratch_recycle.note();
create event trigger scratch_recycle_drop on sql_drop execute function scratch_recycle.note();
alter event trigger scratch_recycle_ddl enable always;
alter event trigger scratch_recycle_drop enable always;
