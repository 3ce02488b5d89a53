//! Types that are no table's.

use super::kind;
use crate::attribute::Options;

kind! {
    /// An enumeration.
    Enum: PG_TYPE, "t.oid, 0 as sub, t.typnamespace as schema, t.typname as name, '' as part, t.typowner as owner, 0 as on_",
    "from pg_type t where t.typtype = 'e' and t.oid >= 16384" {
        /// Its values in their order.
        labels: Vec<String> = "array(select e.enumlabel from pg_enum e where e.enumtypid = t.oid order by e.enumsortorder)",
    }
}

kind! {
    /// A domain.
    Domain: PG_TYPE, "t.oid, 0 as sub, t.typnamespace as schema, t.typname as name, '' as part, t.typowner as owner, 0 as on_",
    "from pg_type t join pg_type b on b.oid = t.typbasetype where t.typtype = 'd' and t.oid >= 16384" {
        /// The type that it restricts.
        data_type: String = "format_type(t.typbasetype, t.typtypmod)",
        /// The collation, unless it is the type's.
        collation: Option<String> = "case when t.typcollation <> b.typcollation then t.typcollation::regcollation end",
        /// Whether it refuses null.
        not_null: bool = "t.typnotnull",
        /// The default, unless it is the type's.
        default: Option<String> = "pg_get_expr(t.typdefaultbin, 0)",
    }
}

kind! {
    /// A range, and its multirange.
    Range: PG_TYPE, "t.oid, 0 as sub, t.typnamespace as schema, t.typname as name, '' as part, t.typowner as owner, 0 as on_",
    "from pg_type t join pg_range g on g.rngtypid = t.oid join pg_opclass o on o.oid = g.rngsubopc where t.oid >= 16384" {
        /// The type of its bounds.
        subtype: String = "format_type(g.rngsubtype, null)",
        /// How they are ordered, unless as usual for the type.
        operator_class: Option<String> = "case when not o.opcdefault then o.opcnamespace::regnamespace || '.' || quote_ident(o.opcname) end",
        /// The collation of that order.
        collation: Option<String> = "nullif(g.rngcollation, 0)::regcollation",
        /// The function that gives equal ranges one form.
        canonical: Option<String> = "nullif(g.rngcanonical::oid, 0)::regproc",
        /// The function that subtracts bounds.
        subtype_diff: Option<String> = "nullif(g.rngsubdiff::oid, 0)::regproc",
        /// The name of its multirange.
        multirange: String = "g.rngmultitypid::regtype",
    }
}

kind! {
    /// A base type of an extension that is none, or a shell that has only a name yet.
    BaseType: PG_TYPE, "t.oid, 0 as sub, t.typnamespace as schema, t.typname as name, '' as part, t.typowner as owner, 0 as on_",
    "from pg_type t where (t.typtype = 'b' and t.typelem = 0 or t.typtype = 'b' and t.typsubscript <> 'array_subscript_handler'::regproc or t.typtype = 'p') and t.oid >= 16384" {
        /// Whether it has only a name yet.
        shell: bool = "not t.typisdefined",
        /// Its functions: input, output, receive, send, modifiers in and out, `analyze`, subscript.
        functions: Vec<String> = "array[t.typinput, t.typoutput, t.typreceive, t.typsend, t.typmodin, t.typmodout, t.typanalyze, t.typsubscript]::text[]",
        /// Length, passing by value, alignment, storage, category, whether preferred, delimiter: as `create type` has them.
        options: Options = "array['length=' || t.typlen, 'by value=' || t.typbyval, 'alignment=' || t.typalign::text, 'storage=' || t.typstorage::text,
             'category=' || t.typcategory::text, 'preferred=' || t.typispreferred, 'delimiter=' || t.typdelim::text, 'collatable=' || (t.typcollation <> 0), 'element=' || t.typelem::regtype]",
        /// The default.
        default: Option<String> = "t.typdefault",
    }
}

kind! {
    /// What a domain demands of its values.
    DomainConstraint: PG_CONSTRAINT, "k.oid, 0 as sub, 0 as schema, k.conname as name, '' as part, 0 as owner, k.contypid as on_",
    "from pg_constraint k where k.contypid >= 16384 and k.contype = 'c'" {
        /// What it demands.
        check: String = "pg_get_expr(k.conbin, 0)",
        /// Whether older values were never checked.
        not_valid: bool = "not k.convalidated",
    }
}

kind! {
    /// A domain's not-null constraint, which has a name from PostgreSQL 17 on.
    DomainNotNull: PG_CONSTRAINT, "k.oid, 0 as sub, 0 as schema, k.conname as name, '' as part, 0 as owner, k.contypid as on_",
    "from pg_constraint k where k.contypid >= 16384 and k.contype = 'n'" {}
}

kind! {
    /// A collation.
    Collation: PG_COLLATION, "c.oid, 0 as sub, c.collnamespace as schema, c.collname as name, '' as part, c.collowner as owner, 0 as on_",
    "from pg_collation c where c.oid >= 16384" {
        /// Who sorts: `libc`, `icu` or `builtin`.
        provider: String = "case c.collprovider when 'c' then 'libc' when 'i' then 'icu' when 'b' then 'builtin' else c.collprovider::text end",
        /// The locale of libc's order and of its characters.
        libc_locale: Option<String> = "nullif(concat_ws(' ', c.collcollate, c.collctype), '')",
        /// The locale of the others.
        locale: Option<String> = "{17: c.colllocale | c.colliculocale}",
        /// Changes to ICU's rules.
        rules: Option<String> = "{16: c.collicurules | null::text}",
        /// Whether different texts may be equal.
        nondeterministic: bool = "not c.collisdeterministic",
    }
}
