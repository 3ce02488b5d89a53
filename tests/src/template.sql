-- Whether a template is complete, how many seconds ago it was marked, and the statements that give a clone what Postgres keeps
-- about a database outside of it: its limit, rights and settings. `create database` copies none of that. The comment is the
-- owner's mark.
select b.datistemplate and not b.datallowconn,
       extract(epoch from now())::bigint
           - coalesce(substring(shobj_description(b.oid, 'pg_database') from ' at=(\d+) ')::bigint, 0),
       array(
           select format('alter database {clone} connection limit %s', b.datconnlimit) where b.datconnlimit <> -1
           union all
           select format('revoke all on database {clone} from public, %s', b.datdba::regrole) where b.datacl is not null
           union all
           select format('grant %s on database {clone} to %s', a.privilege_type,
                         case when a.grantee = 0 then 'public' else a.grantee::regrole::text end)
                  || case when a.is_grantable then ' with grant option' else '' end
           from aclexplode(b.datacl) a
           union all
           select format('alter %s set %I to %s',
                         case when s.setrole = 0 then 'database {clone}'
                              else format('role %s in database {clone}', s.setrole::regrole) end,
                         config.name,
                         -- Postgres keeps a list of names with the quotes of each, but an empty name can't have these.
                         case when config.name in ('search_path', 'temp_tablespaces', 'local_preload_libraries',
                                                   'session_preload_libraries')
                              then regexp_replace(config.value, '(^|, )""(?=, |$)', '\1''''', 'g')
                              else quote_literal(config.value) end)
           from pg_db_role_setting s cross join unnest(s.setconfig) entry
           cross join lateral (select split_part(entry, '=', 1), substr(entry, strpos(entry, '=') + 1)) config (name, value)
           where s.setdatabase = b.oid
       )
from pg_database b where b.datname = $1
