-- What belongs to the whole server, or to another database: what it is called, what a file that changes it has to mention (one
-- of the first words and one of the second), and its state.
with role as (
    select oid, quote_ident(rolname) as name,
           array[rolname::text]
               || case when rolname = session_user then array['current_user', 'session_user', 'current_role'] end
               || case when strpos(rolname, current_database()) > 0 then array['current_database'] end as words,
           concat_ws(' ', rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls,
                     rolconnlimit, rolvaliduntil) as state
    from pg_roles
)
select 'role ' || name, words, null::text[], state from role
union all
select format('membership of role %s in role %s', member.name, granted.name), granted.words, member.words,
       (to_jsonb(m) - array['oid', 'grantor'])::text
from pg_auth_members m join role granted on granted.oid = m.roleid join role member on member.oid = m.member
union all
select concat_ws(' ', 'setting', split_part(entry, '=', 1), 'of',
                 case when s.setrole <> 0 then 'role ' || role.name when s.setdatabase = 0 then 'all roles' end,
                 case when s.setrole <> 0 and s.setdatabase <> 0 then 'in' end, 'database ' || quote_ident(b.datname)),
       array[split_part(entry, '=', 1)], case when s.setdatabase <> 0 then array[b.datname::text] else role.words end, entry
from pg_db_role_setting s cross join unnest(s.setconfig) entry
left join role on role.oid = s.setrole left join pg_database b on b.oid = s.setdatabase
where b.datname is distinct from current_database()
union all
select 'database ' || quote_ident(datname), array[datname::text], null,
       concat_ws(' ', datdba, datacl, datconnlimit, datistemplate, datallowconn)
from pg_database where datname <> current_database()
union all
select 'the comment of the database, which is its environment marker', array['comment'], array['database'],
       (coalesce(shobj_description(oid, 'pg_database'), '') like 'environment=%')::text
from pg_database where datname = current_database()
union all
select 'tablespace ' || quote_ident(spcname), array[spcname::text], null, concat_ws(' ', spcowner, spcacl, spcoptions)
from pg_tablespace
union all
select 'rights on parameter ' || parname, array[parname], null, paracl::text from pg_parameter_acl
