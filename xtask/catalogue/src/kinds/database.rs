//! The database itself, its schemas and extensions, and the rights of objects that are not there yet.

use super::kind;
use crate::{
    attribute::{Implied, Noted, Options},
    role::Role,
};

kind! {
    /// The database itself, without its name.
    Database: PG_DATABASE, "b.oid, 0 as sub, 0 as schema, '' as name, '' as part, 0 as owner, 0 as on_",
    "from pg_database b where b.datname = current_database()" {
        /// What is set for its sessions, of all roles or of one.
        settings: Options = "array(select coalesce('for ' || quote_ident(r.rolname) || ': ', '') || c
             from pg_db_role_setting s cross join unnest(s.setconfig) c left join pg_roles r on r.oid = s.setrole where s.setdatabase = b.oid)",
        /// How many sessions it allows, if that is limited.
        connection_limit: Option<i32> = "case when b.datconnlimit >= 0 then b.datconnlimit end",
        /// Encoding, collation, character types, and who sorts: what it was created with.
        locale: Noted<String> = "concat_ws(' ', pg_encoding_to_char(b.encoding), b.datcollate, b.datctype,
             case b.datlocprovider when 'i' then 'icu' when 'b' then 'builtin' end, {17: b.datlocale | b.daticulocale}, {16: b.daticurules | null})",
    }
}

kind! {
    /// A schema.
    Schema: PG_NAMESPACE, "n.oid, 0 as sub, 0 as schema, n.nspname as name, '' as part, n.nspowner as owner, 0 as on_",
    "from pg_namespace n where (n.oid >= 16384 or n.nspname = 'public') and n.nspname !~ '^pg_(toast|temp)'" {}
}

kind! {
    /// An extension. Its own objects are its business.
    Extension: PG_EXTENSION, "e.oid, 0 as sub, 0 as schema, e.extname as name, '' as part, case when e.oid < 16384 then 0 else e.extowner end as owner, 0 as on_",
    "from pg_extension e" {
        /// The schema that its objects are in.
        schema: String = "e.extnamespace::regnamespace",
        /// The version, which two servers may have in different minor releases.
        version: Noted<String> = "e.extversion",
    }
}

kind! {
    /// What a role gives of the objects that it will create: its own address says which, whose and where.
    DefaultPrivileges: PG_DEFAULT_ACL, "d.oid, 0 as sub, d.defaclnamespace as schema, 'for ' || case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions' when 'T' then 'types' when 'n' then 'schemas' else 'large objects' end as name, '' as part,
         d.defaclrole as owner, 0 as on_",
    "from pg_default_acl d" {
        /// Whose objects they are for.
        role: Implied<Role> = "d.defaclrole",
        /// Which objects, in the plural.
        objects: Implied<String> = "case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions' when 'T' then 'types' when 'n' then 'schemas' else 'large objects' end",
    }
}

kind! {
    /// An object of the server or of an extension whose rights were changed.
    Foreign: FOREIGN, "0 as oid, 0 as sub, 0 as schema, '' as name, '' as part, 0 as owner, 0 as on_", "where false" {}
}
