//! Sheets that say something about objects of many kinds: who owns them, what is granted, what they need.

use crate::{oid::Oid, sheet::sheet};

sheet! {
    /// The roles of the server.
    Roles "from pg_roles" {
        oid: Oid = "oid",
        name: String = "rolname",
        is_me: bool = "rolname = current_user",
    }
}

sheet! {
    /// The schemas of the server itself: they are no objects, but objects may be in them.
    ServerSchemas "from pg_namespace n where n.nspname in ('pg_catalog', 'information_schema')" {
        oid: Oid = "n.oid",
        name: String = "n.nspname",
    }
}

sheet! {
    /// The words that a name can't be without quotes.
    Keywords "from pg_get_keywords() k where k.catcode <> 'U'" {
        word: String = "k.word",
    }
}

sheet! {
    /// What belongs to an extension. Of a composite type the server says so of its type alone, and its relation is the object.
    Members "from pg_depend d left join pg_type t on d.classid = 1247 and t.oid = d.objid and t.typtype = 'c'
     left join pg_class c on c.oid = t.typrelid and c.relkind = 'c' where d.deptype = 'e'" {
        class: Oid = "case when c.oid is null then d.classid else 1259 end",
        object: Oid = "coalesce(c.oid, d.objid)",
        extension: Oid = "d.refobjid",
    }
}

sheet! {
    /// The columns whose collation is not the database's.
    Collated "from pg_attribute a where a.attrelid >= 16384 and a.attnum > 0 and a.attcollation not in (0, 100)" {
        relation: Oid = "a.attrelid",
        number: i16 = "a.attnum",
        collation: Oid = "a.attcollation",
    }
}

sheet! {
    /// The collations that indexes use.
    Collations "from pg_collation c where c.oid in (select unnest(i.indcollation::oid[]) from pg_index i where i.indexrelid >= 16384)" {
        oid: Oid = "c.oid",
        name: String = "c.oid::regcollation",
    }
}

sheet! {
    /// The operator classes.
    OperatorClasses "from pg_opclass o" {
        oid: Oid = "o.oid",
        name: String = "case when o.opcnamespace = 11 then '' else o.opcnamespace::regnamespace || '.' end || quote_ident(o.opcname)",
        default: bool = "o.opcdefault",
    }
}

sheet! {
    /// The comments.
    Comments "from pg_description where objoid >= 16384 or classoid = 2615 and objoid = to_regnamespace('public')" {
        class: Oid = "classoid",
        object: Oid = "objoid",
        sub: i32 = "objsubid",
        text: String = "description",
    }
}

sheet! {
    /// The security labels.
    Labels "from pg_seclabel" {
        class: Oid = "classoid",
        object: Oid = "objoid",
        sub: i32 = "objsubid",
        label: String = "provider || ': ' || label",
    }
}

sheet! {
    /// The rights that differ from those that an object is created with, and from those that the server or an extension
    /// gave it. Columns that every table has, such as `tableoid`, are no objects: the table has the rights to them.
    Rights "from (
        select a.classid, a.objid, a.sub, x.grantee, x.grantor, a.owner, x.privilege_type, x.is_grantable, x.revoked,
               case when a.objid < 16384 or exists (select from pg_depend e where e.classid = a.classid and e.objid = a.objid and e.deptype = 'e')
                    then (select i.type || ' ' || i.identity from pg_identify_object(a.classid, a.objid, a.sub) i) end as identity
        from (
            select classid, objid, sub, owner, acl, coalesce(i.initprivs, base) as base
            from (
                select 1259 as classid, oid as objid, 0 as sub, relowner as owner, relacl as acl, acldefault(case relkind when 'S' then 's' else 'r' end::\"char\", relowner)
                       || case when oid < 16384 and relnamespace = 'information_schema'::regnamespace then array[makeaclitem(0, relowner, 'SELECT', false)] end as base
                from pg_class where relacl is not null
                union all
                select 1259, a.attrelid, a.attnum, c.relowner, a.attacl, acldefault('c', c.relowner)
                from pg_attribute a join pg_class c on c.oid = a.attrelid where a.attacl is not null and not a.attisdropped
                union all select 1255, oid, 0, proowner, proacl, acldefault('f', proowner) from pg_proc where proacl is not null
                union all select 1247, oid, 0, typowner, typacl, acldefault('T', typowner) from pg_type where typacl is not null
                union all select 2615, oid, 0, nspowner, coalesce(nspacl, acldefault('n', nspowner)), acldefault('n', nspowner)
                       || case when nspname = 'public' or oid < 16384 and nspname = 'information_schema' then array[makeaclitem(0, nspowner, 'USAGE', false)] end
                from pg_namespace where (nspacl is not null or nspname = 'public') and nspname !~ '^pg_(toast|temp)'
                union all select 2612, oid, 0, lanowner, lanacl, acldefault('l', lanowner) from pg_language where lanacl is not null
                union all select 2328, oid, 0, fdwowner, fdwacl, acldefault('F', fdwowner) from pg_foreign_data_wrapper where fdwacl is not null
                union all select 1417, oid, 0, srvowner, srvacl, acldefault('S', srvowner) from pg_foreign_server where srvacl is not null
                union all select 1262, oid, 0, datdba, datacl, acldefault('d', datdba) from pg_database where datacl is not null and datname = current_database()
                union all
                select 826, oid, 0, defaclrole, defaclacl,
                       case when defaclnamespace = 0 then acldefault(case defaclobjtype when 'S' then 's' else defaclobjtype end::\"char\", defaclrole) else acldefault('c', defaclrole) end
                from pg_default_acl
            ) given
            left join pg_init_privs i on i.classoid = classid and i.objoid = objid and i.objsubid = sub
        ) a
        cross join lateral (
            select *, false as revoked from (select * from aclexplode(a.acl) except select * from aclexplode(a.base)) more
            union all
            select *, true from (select * from aclexplode(a.base) except select * from aclexplode(a.acl)) less
        ) x
        where a.acl <> a.base
    ) r" {
        class: Oid = "r.classid",
        object: Oid = "r.objid",
        sub: i32 = "greatest(r.sub, 0)",
        grantee: Oid = "r.grantee",
        grantor: Oid = "r.grantor",
        owner: Oid = "r.owner",
        privilege: String = "r.privilege_type || coalesce((select ' (' || attname || ')' from pg_attribute where r.sub < 0 and r.identity is null and attrelid = r.objid and attnum = r.sub), '')",
        grantable: bool = "r.is_grantable",
        revoked: bool = "r.revoked",
        identity: Option<String> = "r.identity",
    }
}

sheet! {
    /// What each object needs.
    Edges "from pg_depend d where d.objid >= 16384 and d.deptype <> 'e'" {
        class: Oid = "d.classid",
        object: Oid = "d.objid",
        sub: i32 = "d.objsubid",
        needed_class: Oid = "d.refclassid",
        needed: Oid = "d.refobjid",
        needed_sub: i32 = "d.refobjsubid",
        sort: char = "d.deptype",
    }
}

sheet! {
    /// Rows of the catalogues that are parts of an object: the query of a view, the default of a column, the type of a
    /// table's rows, an array's type.
    Parts "from (
        select 2618 as class, w.oid, 1259 as whole_class, w.ev_class as whole, 0 as sub from pg_rewrite w join pg_class c on c.oid = w.ev_class
            where w.rulename = '_RETURN' and c.relkind in ('v', 'm') and w.oid >= 16384
        union all select 2604, oid, 1259, adrelid, adnum from pg_attrdef where oid >= 16384
        union all select 1247, oid, 1259, typrelid, 0 from pg_type where typrelid >= 16384
        union all select 1247, oid, 1247, typelem, 0 from pg_type where oid >= 16384 and typelem <> 0 and typsubscript = 'array_subscript_handler'::regproc
        union all select 1247, rngmultitypid, 1247, rngtypid, 0 from pg_range where rngtypid >= 16384
        union all select 6106, oid, 6104, prpubid, 0 from pg_publication_rel
        union all select 6237, oid, 6104, pnpubid, 0 from pg_publication_namespace
        union all select 2602, o.oid, coalesce(d.refclassid, 2753), coalesce(d.refobjid, o.amopfamily), 0 from pg_amop o
            left join pg_depend d on d.classid = 2602 and d.objid = o.oid and d.refclassid = 2616 where o.oid >= 16384
        union all select 2603, q.oid, coalesce(d.refclassid, 2753), coalesce(d.refobjid, q.amprocfamily), 0 from pg_amproc q
            left join pg_depend d on d.classid = 2603 and d.objid = q.oid and d.refclassid = 2616 where q.oid >= 16384
    ) p" {
        class: Oid = "p.class",
        object: Oid = "p.oid",
        whole_class: Oid = "p.whole_class",
        whole: Oid = "p.whole",
        sub: i32 = "p.sub",
    }
}
