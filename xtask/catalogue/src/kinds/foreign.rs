//! Access to other servers.

use super::kind;
use crate::{
    attribute::{Implied, Options},
    role::Role,
};

kind! {
    /// A foreign-data wrapper.
    Wrapper: PG_FOREIGN_DATA_WRAPPER, "w.oid, 0 as sub, 0 as schema, w.fdwname as name, '' as part, w.fdwowner as owner, 0 as on_",
    "from pg_foreign_data_wrapper w where w.oid >= 16384" {
        /// The function that reads and writes.
        handler: Option<String> = "nullif(w.fdwhandler, 0)::regproc",
        /// The function that checks options.
        validator: Option<String> = "nullif(w.fdwvalidator, 0)::regproc",
        /// The options.
        options: Options = "w.fdwoptions",
    }
}

kind! {
    /// A foreign server.
    Server: PG_FOREIGN_SERVER, "s.oid, 0 as sub, 0 as schema, s.srvname as name, '' as part, s.srvowner as owner, 0 as on_",
    "from pg_foreign_server s join pg_foreign_data_wrapper w on w.oid = s.srvfdw where s.oid >= 16384" {
        /// The wrapper.
        wrapper: String = "w.fdwname",
        /// The type, which only the wrapper understands.
        server_type: Option<String> = "s.srvtype",
        /// The version, which only the wrapper understands.
        server_version: Option<String> = "s.srvversion",
        /// The options.
        options: Options = "s.srvoptions",
    }
}

kind! {
    /// Who a role is on a foreign server. The view is read, as the catalogue itself is a superuser's.
    UserMapping: PG_USER_MAPPING, "m.umid as oid, 0 as sub, 0 as schema, 'on server ' || quote_ident(m.srvname) as name, '' as part, m.umuser as owner, 0 as on_",
    "from pg_user_mappings m" {
        /// The role.
        role: Implied<Role> = "m.umuser",
        /// The server.
        server: Implied<String> = "m.srvname",
        /// The options that this session may see, without passwords.
        options: Options = "array(select case when o ~* '^[^=]*(pass|secret|token)' then split_part(o, '=', 1) || '=(not shown)' else o end from unnest(m.umoptions) o)",
        /// The same with the passwords, if they are known; nothing may show them but a script that sets them.
        values: Implied<Option<Options>> = "m.umoptions",
    }
}
