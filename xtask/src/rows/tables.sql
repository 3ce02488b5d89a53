-- Returns one JSON object per table of `public` that is named in $1, with what we need to write its rows to a file and read them back.
select json_build_object(
    'name', c.relname,
    'partitioned', c.relkind = 'p',
    'columns', (
        -- Postgres computes generated columns, and accepts no values for them.
        select coalesce(json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) order by a.attnum), '[]')
        from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    ),
    'order', (
        -- With collation C the order is the same on every server, whatever its locale.
        select string_agg(quote_ident(a.attname) || case when a.attcollation <> 0 then ' collate "C"' else '' end, ', ' order by k.n)
        from pg_index i
        cross join unnest(i.indkey::int2[]) with ordinality k (attnum, n)
        join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
        where i.indrelid = c.oid and i.indisprimary and k.n <= i.indnkeyatts
    ),
    'foreign_keys', (
        select coalesce(json_agg(json_build_object(
            'name', k.conname,
            'columns', (select json_agg(a.attname order by u.n) from unnest(k.conkey) with ordinality u (attnum, n)
                        join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.attnum),
            'schema', s.nspname,
            'target', t.relname,
            'target_columns', (select json_agg(a.attname order by u.n) from unnest(k.confkey) with ordinality u (attnum, n)
                               join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.attnum),
            'timing', case when not k.condeferrable then 'not deferrable'
                           when k.condeferred then 'deferrable initially deferred'
                           else 'deferrable initially immediate' end
        ) order by k.conname), '[]')
        from pg_constraint k
        join pg_class t on t.oid = k.confrelid
        join pg_namespace s on s.oid = t.relnamespace
        where k.conrelid = c.oid and k.contype = 'f' and k.conparentid = 0
    ),
    'sequences', (
        select coalesce(json_agg(json_build_object('name', format('%I.%I', n.nspname, s.relname), 'column', a.attname) order by a.attnum), '[]')
        from pg_depend d
        join pg_class s on s.oid = d.objid and s.relkind = 'S'
        join pg_namespace n on n.oid = s.relnamespace
        join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
        where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid
          and d.deptype in ('a', 'i')
    )
)::text
from pg_class c
where c.relnamespace = to_regnamespace('public') and c.relkind in ('r', 'p') and c.relname = any ($1)
order by c.relname
