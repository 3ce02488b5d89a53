-- Everything that migrations create, one line per object: the same text on every server for the same schema.
-- $1: schemas to leave out (the ledgers'). An extension has one line; what belongs to it has none.
-- Not here: rows, large objects, storage, and what only a superuser can create in C (base types, operator classes,
-- languages, foreign data wrappers).
with
me as (
    select oid from pg_roles where rolname = current_user
),
schemas as (
    select oid, nspname, nspowner from pg_namespace
    where nspname !~ '^pg_' and nspname <> 'information_schema' and not nspname = any ($1)
),
members as (
    select classid, objid from pg_depend where deptype = 'e'
),
relations as (
    select c.oid, c.relkind, c.relowner, c.relacl, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity, c.reloptions,
           c.relispartition, c.relpartbound, c.relreplident, c.reltype, format('%I.%I', s.nspname, c.relname) as name
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
    select t.oid, t.typtype, t.typowner, t.typacl, format('%I.%I', s.nspname, t.typname) as name
    from pg_type t join schemas s on s.oid = t.typnamespace
    where t.typtype in ('d', 'e', 'r')
      and not exists (select from members m where m.classid = 'pg_type'::regclass and m.objid = t.oid)
),
lines (kind, name, definition) as (
    select 'schema', quote_ident(nspname),
           concat_ws(' ', case when nspname <> 'public' and nspowner <> (table me) then 'owner ' || nspowner::regrole end,
                     '-- ' || obj_description(oid, 'pg_namespace'))
    from schemas where nspname <> 'public' or obj_description(oid, 'pg_namespace') <> 'standard public schema'
    union all
    select 'extension', quote_ident(extname), concat_ws(' ', extversion, 'in', extnamespace::regnamespace) from pg_extension where extname <> 'plpgsql'
    union all
    select case relkind when 'r' then 'table' when 'p' then 'partitioned table' when 'f' then 'foreign table' when 'v' then 'view'
                        when 'm' then 'materialized view' when 'S' then 'sequence' when 'c' then 'composite type' end,
           name,
           concat_ws(' ',
               case when relpersistence <> 'p' then 'persistence ' || relpersistence::text end,
               case when relrowsecurity then 'row security' end, case when relforcerowsecurity then 'forced' end,
               case when reloptions is not null then 'with ' || reloptions::text end,
               'inherits ' || (select string_agg(inhparent::regclass::text, ', ' order by inhseqno) from pg_inherits where inhrelid = oid),
               case when relispartition then pg_get_expr(relpartbound, oid) end,
               case when relkind = 'p' then pg_get_partkeydef(oid) end,
               case when relkind in ('r', 'p') and relreplident <> 'd' then 'replica identity ' || relreplident::text end,
               (select concat_ws(' ', 'server', quote_ident(v.srvname), f.ftoptions::text)
                from pg_foreign_table f join pg_foreign_server v on v.oid = f.ftserver where f.ftrelid = relations.oid),
               case when relowner <> (table me) then 'owner ' || relowner::regrole end,
               case when relkind in ('v', 'm') then ltrim(pg_get_viewdef(oid)) end,
               '-- ' || case relkind when 'c' then obj_description(reltype, 'pg_type') else obj_description(oid, 'pg_class') end)
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
               case when a.attgenerated = 'v' then 'virtual' end,
               case when a.attgenerated <> '' then 'generated' when d.oid is not null then 'default' end,
               pg_get_expr(d.adbin, d.adrelid),
               case when a.attstorage <> t.typstorage then 'storage ' || a.attstorage::text end,
               -- PostgreSQL 17 has null where older versions have -1.
               'statistics ' || nullif(a.attstattarget, -1),
               'compression ' || nullif(a.attcompression::text, ''),
               'with ' || a.attoptions::text,
               '-- ' || col_description(a.attrelid, a.attnum))
    from relations r
    join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
    join pg_type t on t.oid = a.atttypid
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where r.relkind in ('r', 'p', 'f', 'v', 'm', 'c')
    union all
    select 'constraint', r.name || '.' || quote_ident(k.conname),
           concat_ws(' ', pg_get_constraintdef(k.oid),
                     -- As `disable trigger all` leaves a foreign key.
                     case when exists (select from pg_trigger t where t.tgconstraint = k.oid and t.tgisinternal and t.tgenabled <> 'O')
                          then 'triggers disabled' end,
                     '-- ' || obj_description(k.oid, 'pg_constraint'))
    -- PostgreSQL 18 lists not-null constraints too; the column's line says it on every version.
    from relations r join pg_constraint k on k.conrelid = r.oid and k.contype <> 'n'
    union all
    select 'index', i.indexrelid::regclass::text,
           concat_ws(' ', pg_get_indexdef(i.indexrelid), case when not i.indisvalid then 'invalid' end,
                     case when i.indisreplident then 'replica identity' end, case when i.indisclustered then 'clustered' end,
                     '-- ' || obj_description(i.indexrelid, 'pg_class'))
    from relations r join pg_index i on i.indrelid = r.oid
    union all
    select 'trigger', r.name || '.' || quote_ident(t.tgname),
           concat_ws(' ', pg_get_triggerdef(t.oid), case when t.tgenabled <> 'O' then 'enabled ' || t.tgenabled::text end,
                     '-- ' || obj_description(t.oid, 'pg_trigger'))
    from relations r join pg_trigger t on t.tgrelid = r.oid and not t.tgisinternal
    union all
    select 'rule', r.name || '.' || quote_ident(w.rulename),
           concat_ws(' ', pg_get_ruledef(w.oid), case when w.ev_enabled <> 'O' then 'enabled ' || w.ev_enabled::text end,
                     '-- ' || obj_description(w.oid, 'pg_rewrite'))
    from relations r join pg_rewrite w on w.ev_class = r.oid and w.rulename <> '_RETURN'
    union all
    select 'policy', r.name || '.' || quote_ident(p.polname),
           concat_ws(' ', p.polcmd::text, case when not p.polpermissive then 'restrictive' end, p.polroles::regrole[]::text,
                     'using ' || pg_get_expr(p.polqual, p.polrelid), 'check ' || pg_get_expr(p.polwithcheck, p.polrelid),
                     '-- ' || obj_description(p.oid, 'pg_policy'))
    from relations r join pg_policy p on p.polrelid = r.oid
    union all
    select 'statistics', format('%s.%I', r.name, x.stxname), pg_get_statisticsobjdef(x.oid)
    from relations r join pg_statistic_ext x on x.stxrelid = r.oid
    union all
    select 'collation', format('%I.%I', s.nspname, c.collname),
           -- The column of ICU's locale has another name from PostgreSQL 17 on.
           concat_ws(' ', c.collprovider::text, c.collcollate, c.collctype,
                     coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale'),
                     case when not c.collisdeterministic then 'not deterministic' end)
    from pg_collation c join schemas s on s.oid = c.collnamespace
    where not exists (select from members m where m.classid = 'pg_collation'::regclass and m.objid = c.oid)
    union all
    select 'operator', format('%I.%s', s.nspname, o.oid::regoperator), o.oprcode::text
    from pg_operator o join schemas s on s.oid = o.oprnamespace
    where not exists (select from members m where m.classid = 'pg_operator'::regclass and m.objid = o.oid)
    union all
    select 'cast', format('(%s as %s)', castsource::regtype, casttarget::regtype),
           concat_ws(' ', castcontext::text, castmethod::text, nullif(castfunc, 0)::regprocedure)
    from pg_cast c
    -- 16384: below are the server's own.
    where c.oid >= 16384 and not exists (select from members m where m.classid = 'pg_cast'::regclass and m.objid = c.oid)
    union all
    select 'dictionary', format('%I.%I', s.nspname, d.dictname), concat_ws(' ', quote_ident(t.tmplname), d.dictinitoption)
    from pg_ts_dict d join schemas s on s.oid = d.dictnamespace join pg_ts_template t on t.oid = d.dicttemplate
    where not exists (select from members m where m.classid = 'pg_ts_dict'::regclass and m.objid = d.oid)
    union all
    select 'configuration', format('%I.%I', s.nspname, c.cfgname),
           (select string_agg(concat_ws(' ', m.maptokentype, m.mapdict::regdictionary), ', ' order by m.maptokentype, m.mapseqno)
            from pg_ts_config_map m where m.mapcfg = c.oid)
    from pg_ts_config c join schemas s on s.oid = c.cfgnamespace
    where not exists (select from members m where m.classid = 'pg_ts_config'::regclass and m.objid = c.oid)
    union all
    select 'publication', quote_ident(pubname),
           concat_ws(' ', puballtables, pubinsert, pubupdate, pubdelete, pubtruncate, pubviaroot,
                     (select string_agg(concat_ws(' ', prrelid::regclass, prattrs, pg_get_expr(prqual, prrelid)), ', ' order by prrelid::regclass::text)
                      from pg_publication_rel where prpubid = p.oid),
                     (select 'schemas ' || string_agg(pnnspid::regnamespace::text, ', ' order by pnnspid::regnamespace::text)
                      from pg_publication_namespace where pnpubid = p.oid))
    from pg_publication p
    union all
    select 'foreign server', quote_ident(srvname), srvoptions::text from pg_foreign_server
    union all
    select 'event trigger', quote_ident(evtname), concat_ws(' ', evtevent, evtfoid::regproc, evttags::text, evtenabled::text)
    from pg_event_trigger
    union all
    select 'sequence', r.name, concat_ws(' ', format_type(q.seqtypid, null), q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcycle, q.seqcache,
                     (select format('owned by %s.%I', d.refobjid::regclass, a.attname)
                      from pg_depend d join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
                      where d.classid = 'pg_class'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')))
    from relations r join pg_sequence q on q.seqrelid = r.oid
    union all
    select case prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end, name,
           concat_ws(' ', case when prokind <> 'a' then pg_get_functiondef(oid) end,
                     (select concat_ws(' ', a.aggtransfn, format_type(a.aggtranstype, null), a.aggfinalfn, a.aggcombinefn, a.agginitval)
                      from pg_aggregate a where a.aggfnoid = functions.oid),
                     case when proowner <> (table me) then 'owner ' || proowner::regrole end,
                     '-- ' || obj_description(oid, 'pg_proc'))
    from functions
    union all
    select 'enum', t.name, string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder)
    from types t join pg_enum e on e.enumtypid = t.oid group by t.name
    union all
    select 'domain', t.name,
           concat_ws(' ', format_type(b.typbasetype, b.typtypmod), case when b.typnotnull then 'not null' end,
                     case when b.typcollation <> u.typcollation then 'collate ' || b.typcollation::regcollation end, b.typdefault,
                     -- As with tables, not-null has a constraint too from 18 on.
                     (select string_agg(quote_ident(k.conname) || ' ' || pg_get_constraintdef(k.oid), ' ' order by k.conname) from pg_constraint k where k.contypid = t.oid and k.contype <> 'n'))
    from types t join pg_type b on b.oid = t.oid join pg_type u on u.oid = b.typbasetype where t.typtype = 'd'
    union all
    select 'range', t.name,
           concat_ws(' ', format_type(g.rngsubtype, null), nullif(g.rngcollation, 0)::regcollation, nullif(g.rngcanonical, 0)::regproc, nullif(g.rngsubdiff, 0)::regproc)
    from types t join pg_range g on g.rngtypid = t.oid
    union all
    select 'type', t.name,
           concat_ws(' ', case when t.typowner <> (table me) then 'owner ' || t.typowner::regrole end, '-- ' || obj_description(t.oid, 'pg_type'))
    from types t where t.typowner <> (table me) or obj_description(t.oid, 'pg_type') is not null
    union all
    -- The default rights of all to functions and types, if they were revoked.
    select 'revoke', o.name, 'from public'
    from (select name, proacl from functions union all select name, typacl from types) o (name, acl)
    where not exists (select from aclexplode(o.acl) a where a.grantee = 0) and o.acl is not null
    union all
    select 'default privileges', coalesce(quote_ident(n.nspname), 'everywhere'),
           concat_ws(' ', 'of', nullif(d.defaclrole, (table me))::regrole, d.defaclobjtype::text, a.privilege_type, 'to', coalesce(g.rolname, 'public'),
                     case when a.is_grantable then 'with grant option' end)
    from pg_default_acl d
    cross join lateral aclexplode(d.defaclacl) a
    left join pg_namespace n on n.oid = d.defaclnamespace
    left join pg_roles g on g.oid = a.grantee
    where a.grantee <> d.defaclrole
    union all
    -- Rights granted to anyone but the owner.
    select 'grant', o.name, concat_ws(' ', a.privilege_type, 'to', coalesce(g.rolname, 'public'), case when a.is_grantable then 'with grant option' end)
    from (
        select name, relowner as owner, relacl as acl, false as everybodys from relations
        union all
        select r.name || '.' || quote_ident(a.attname), r.relowner, a.attacl, false
        from relations r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
        union all
        select name, proowner, proacl, true from functions
        union all
        -- By default all may use `public`.
        select quote_ident(n.nspname), n.nspowner, n.nspacl, false from pg_namespace n join schemas s using (oid) where n.nspname <> 'public'
        union all
        select name, typowner, typacl, true from types
    ) o
    cross join lateral aclexplode(o.acl) a
    left join pg_roles g on g.oid = a.grantee
    -- Granting to all what all may do by default changes nothing.
    where a.grantee <> o.owner and not (o.everybodys and a.grantee = 0)
)
select line
from (select concat_ws(' ', kind, name, nullif(definition, '')) from lines) as written (line)
order by line collate "C"
