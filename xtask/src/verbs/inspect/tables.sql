-- Every table that belongs to no extension, a JSON object each. $1: schemas to leave out (the ledger's).
select json_build_object(
    'schema', s.nspname,
    'name', c.relname,
    'comment', obj_description(c.oid, 'pg_class'),
    'columns', (
        select coalesce(json_agg(json_build_object(
            'name', a.attname,
            'type', format_type(a.atttypid, a.atttypmod),
            'nullable', not a.attnotnull,
            'default', case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid, true) end,
            'generated', case when a.attgenerated <> '' then pg_get_expr(d.adbin, d.adrelid, true) end,
            'identity', case a.attidentity when 'a' then 'always' when 'd' then 'by default' end,
            'comment', col_description(c.oid, a.attnum)
        ) order by a.attnum), '[]')
        from pg_attribute a
        left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    ),
    'primary_key', (select json_agg(a.attname order by u.n) from pg_constraint k
                    cross join unnest(k.conkey) with ordinality u (attnum, n)
                    join pg_attribute a on a.attrelid = c.oid and a.attnum = u.attnum
                    where k.conrelid = c.oid and k.contype = 'p'),
    'foreign_keys', (
        select coalesce(json_agg(json_build_object(
            'name', k.conname,
            'columns', (select json_agg(a.attname order by u.n) from unnest(k.conkey) with ordinality u (attnum, n)
                        join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.attnum),
            'table', case when t.relnamespace = 'public'::regnamespace then t.relname else t.relnamespace::regnamespace || '.' || t.relname end,
            'to', (select json_agg(a.attname order by u.n) from unnest(k.confkey) with ordinality u (attnum, n)
                   join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.attnum),
            'on_delete', case k.confdeltype when 'c' then 'cascade' when 'n' then 'set null' when 'd' then 'set default' when 'r' then 'restrict' else 'no action' end,
            'on_update', case k.confupdtype when 'c' then 'cascade' when 'n' then 'set null' when 'd' then 'set default' when 'r' then 'restrict' else 'no action' end,
            'deferrable', k.condeferrable,
            'validated', k.convalidated
        ) order by k.conname), '[]')
        from pg_constraint k join pg_class t on t.oid = k.confrelid
        where k.conrelid = c.oid and k.contype = 'f' and k.conparentid = 0
    ),
    'constraints', (
        -- 18 lists not-null constraints too; `nullable` shows them on every version.
        select coalesce(json_agg(json_build_object('name', k.conname, 'definition', pg_get_constraintdef(k.oid, true),
            'kind', case k.contype when 'p' then 'primary key' when 'u' then 'unique' when 'c' then 'check' when 'x' then 'exclude' end)
            order by k.contype = 'c', k.conname), '[]')
        from pg_constraint k where k.conrelid = c.oid and k.contype in ('p', 'u', 'c', 'x')
    ),
    'indexes', (
        -- Without the indexes of constraints, which are listed there.
        select coalesce(json_agg(json_build_object('name', i.relname, 'unique', x.indisunique, 'valid', x.indisvalid,
            'definition', regexp_replace(pg_get_indexdef(x.indexrelid), '^.*? USING ', '')) order by not x.indisunique, i.relname), '[]')
        from pg_index x join pg_class i on i.oid = x.indexrelid
        where x.indrelid = c.oid
          and not exists (select from pg_constraint k where k.conindid = x.indexrelid and k.contype in ('p', 'u', 'x'))
    ),
    'triggers', (
        select coalesce(json_agg(json_build_object('name', t.tgname, 'enabled', t.tgenabled <> 'D',
            'definition', substr(d.sql, strpos(d.sql, quote_ident(t.tgname)) + length(quote_ident(t.tgname)) + 1)) order by t.tgname), '[]')
        from pg_trigger t cross join lateral pg_get_triggerdef(t.oid, true) d (sql) where t.tgrelid = c.oid and not t.tgisinternal
    ),
    'referenced_by', (
        select coalesce(json_agg(json_build_object(
            'table', case when r.relnamespace = 'public'::regnamespace then r.relname else r.relnamespace::regnamespace || '.' || r.relname end,
            'columns', (select json_agg(a.attname order by u.n) from unnest(k.conkey) with ordinality u (attnum, n)
                        join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.attnum)
        ) order by r.relname, k.conname), '[]')
        from pg_constraint k join pg_class r on r.oid = k.conrelid
        where k.confrelid = c.oid and k.contype = 'f' and k.conparentid = 0
    )
)::text
from pg_class c
join pg_namespace s on s.oid = c.relnamespace
where c.relkind in ('r', 'p', 'f') and not c.relispartition
  and s.nspname !~ '^pg_' and s.nspname <> 'information_schema' and not s.nspname = any ($1)
  and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
order by s.nspname <> 'public', s.nspname, c.relname
