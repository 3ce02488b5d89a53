-- Everything that migrations make, a line an object, the same text on every server for the same schema.
-- $1: schemas to leave out (those of the ledger). What belongs to an extension is the extension's line.
with
schemas as (
    select oid, nspname from pg_namespace
    where nspname !~ '^pg_' and nspname <> 'information_schema' and not nspname = any ($1)
),
members as (
    select classid, objid from pg_depend where deptype = 'e'
),
relations as (
    select c.oid, c.relkind, c.relowner, c.relacl, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity, c.reloptions,
           c.relispartition, c.relpartbound, c.relreplident, (select oid from pg_roles where rolname = current_user) as me, format('%I.%I', s.nspname, c.relname) as name
    from pg_class c join schemas s on s.oid = c.relnamespace
    where not exists (select from members m where m.classid = 'pg_class'::regclass and m.objid = c.oid)
),
functions as (
    select p.oid, p.prokind, p.proowner, p.proacl,
           format('%I.%I(%s)', s.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) as name
    from pg_proc p join schemas s on s.oid = p.pronamespace
    where not exists (select from members m where m.classid = 'pg_proc'::regclass and m.objid = p.oid)
),
types as (
    select t.oid, t.typtype, format('%I.%I', s.nspname, t.typname) as name
    from pg_type t join schemas s on s.oid = t.typnamespace
    where t.typtype in ('d', 'e', 'r')
      and not exists (select from members m where m.classid = 'pg_type'::regclass and m.objid = t.oid)
),
lines (kind, name, definition) as (
    select 'schema', quote_ident(nspname), obj_description(oid, 'pg_namespace')
    from schemas where nspname <> 'public' or obj_description(oid, 'pg_namespace') <> 'standard public schema'
    union all
    select 'extension', quote_ident(extname), extversion from pg_extension where extname <> 'plpgsql'
    union all
    select case relkind when 'r' then 'table' when 'p' then 'partitioned table' when 'f' then 'foreign table' when 'v' then 'view'
                        when 'm' then 'materialized view' when 'S' then 'sequence' when 'c' then 'composite type' end,
           name,
           concat_ws(' ',
               case when relpersistence <> 'p' then 'persistence ' || relpersistence::text end,
               case when relrowsecurity then 'row security' end, case when relforcerowsecurity then 'forced' end,
               case when reloptions is not null then 'with ' || reloptions::text end,
               case when relispartition then pg_get_expr(relpartbound, oid) end,
               case when relkind = 'p' then pg_get_partkeydef(oid) end,
               case when relkind in ('r', 'p') and relreplident <> 'd' then 'replica identity ' || relreplident::text end,
               case when relowner <> me then 'owner ' || relowner::regrole end,
               case when relkind in ('v', 'm') then ltrim(pg_get_viewdef(oid)) end,
               '-- ' || obj_description(oid, 'pg_class'))
    from relations where relkind in ('r', 'p', 'f', 'v', 'm', 'S', 'c')
    union all
    select 'column',
           r.name || '.' || quote_ident(a.attname),
           concat_ws(' ',
               '#' || row_number() over (partition by a.attrelid order by a.attnum),
               format_type(a.atttypid, a.atttypmod),
               case when a.attcollation <> t.typcollation then 'collate ' || a.attcollation::regcollation end,
               case when a.attnotnull then 'not null' end,
               case a.attidentity when 'a' then 'identity always' when 'd' then 'identity by default' end,
               case when a.attgenerated <> '' then 'generated' when d.oid is not null then 'default' end,
               pg_get_expr(d.adbin, d.adrelid),
               case when a.attstorage <> t.typstorage then 'storage ' || a.attstorage::text end,
               -- PostgreSQL 17 has null where older versions have -1.
               'statistics ' || nullif(a.attstattarget, -1),
               'with ' || a.attoptions::text,
               '-- ' || col_description(a.attrelid, a.attnum))
    from relations r
    join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
    join pg_type t on t.oid = a.atttypid
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where r.relkind in ('r', 'p', 'f', 'v', 'm', 'c')
    union all
    select 'constraint', r.name || '.' || quote_ident(k.conname),
           concat_ws(' ', pg_get_constraintdef(k.oid), '-- ' || obj_description(k.oid, 'pg_constraint'))
    -- PostgreSQL 18 lists not-null constraints too; the column's line says it on every version.
    from relations r join pg_constraint k on k.conrelid = r.oid and k.contype <> 'n'
    union all
    select 'index', i.indexrelid::regclass::text,
           concat_ws(' ', pg_get_indexdef(i.indexrelid), case when not i.indisvalid then 'invalid' end,
                     '-- ' || obj_description(i.indexrelid, 'pg_class'))
    from relations r join pg_index i on i.indrelid = r.oid
    union all
    select 'trigger', r.name || '.' || quote_ident(t.tgname),
           concat_ws(' ', pg_get_triggerdef(t.oid), case when t.tgenabled <> 'O' then 'enabled ' || t.tgenabled::text end,
                     '-- ' || obj_description(t.oid, 'pg_trigger'))
    from relations r join pg_trigger t on t.tgrelid = r.oid and not t.tgisinternal
    union all
    select 'rule', r.name || '.' || quote_ident(w.rulename), pg_get_ruledef(w.oid)
    from relations r join pg_rewrite w on w.ev_class = r.oid and w.rulename <> '_RETURN'
    union all
    select 'policy', r.name || '.' || quote_ident(p.polname),
           concat_ws(' ', p.polcmd::text, case when not p.polpermissive then 'restrictive' end, p.polroles::regrole[]::text,
                     'using ' || pg_get_expr(p.polqual, p.polrelid), 'check ' || pg_get_expr(p.polwithcheck, p.polrelid))
    from relations r join pg_policy p on p.polrelid = r.oid
    union all
    select 'statistics', format('%s.%I', r.name, x.stxname), pg_get_statisticsobjdef(x.oid)
    from relations r join pg_statistic_ext x on x.stxrelid = r.oid
    union all
    select 'collation', format('%I.%I', s.nspname, c.collname), concat_ws(' ', c.collprovider::text, c.collcollate, c.collctype)
    from pg_collation c join schemas s on s.oid = c.collnamespace
    union all
    select 'operator', format('%I.%s', s.nspname, o.oid::regoperator), o.oprcode::text
    from pg_operator o join schemas s on s.oid = o.oprnamespace
    where not exists (select from members m where m.classid = 'pg_operator'::regclass and m.objid = o.oid)
    union all
    select 'publication', quote_ident(pubname), concat_ws(' ', puballtables, pubinsert, pubupdate, pubdelete, pubtruncate)
    from pg_publication
    union all
    select 'foreign server', quote_ident(srvname), srvoptions::text from pg_foreign_server
    union all
    select 'event trigger', quote_ident(evtname), concat_ws(' ', evtevent, evtfoid::regproc, evttags::text, evtenabled::text)
    from pg_event_trigger
    union all
    select 'sequence', r.name, concat_ws(' ', format_type(q.seqtypid, null), q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcycle)
    from relations r join pg_sequence q on q.seqrelid = r.oid
    union all
    select case prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end, name,
           concat_ws(' ', case when prokind <> 'a' then pg_get_functiondef(oid) end, '-- ' || obj_description(oid, 'pg_proc'))
    from functions
    union all
    select 'enum', t.name, string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder)
    from types t join pg_enum e on e.enumtypid = t.oid group by t.name
    union all
    select 'domain', t.name,
           concat_ws(' ', format_type(b.typbasetype, b.typtypmod), case when b.typnotnull then 'not null' end, b.typdefault,
                     (select string_agg(pg_get_constraintdef(k.oid), ' ' order by k.conname) from pg_constraint k where k.contypid = t.oid))
    from types t join pg_type b on b.oid = t.oid where t.typtype = 'd'
    union all
    select 'range', t.name, format_type(g.rngsubtype, null) from types t join pg_range g on g.rngtypid = t.oid
    union all
    -- Rights that somebody else than the owner was given.
    select 'grant', o.name, concat_ws(' ', a.privilege_type, 'to', coalesce(g.rolname, 'public'), case when a.is_grantable then 'with grant option' end)
    from (
        select name, relowner as owner, relacl as acl from relations
        union all
        select r.name || '.' || quote_ident(a.attname), r.relowner, a.attacl
        from relations r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
        union all
        select name, proowner, proacl from functions
        union all
        -- The server itself lets everybody use `public`.
        select quote_ident(n.nspname), n.nspowner, n.nspacl from pg_namespace n join schemas s using (oid) where n.nspname <> 'public'
        union all
        select t.name, b.typowner, b.typacl from types t join pg_type b on b.oid = t.oid
    ) o
    cross join lateral aclexplode(o.acl) a
    left join pg_roles g on g.oid = a.grantee
    where a.grantee <> o.owner
)
select line
from (select concat_ws(' ', kind, name, nullif(definition, '')) from lines) as written (line)
order by line collate "C"
