//! Functions, operators, casts, and the languages and types that they stand on.

use super::kind;
use crate::attribute::{Deparsed, Options};

kind! {
    /// A function, procedure or window function.
    Function: PG_PROC, "p.oid, 0 as sub, p.pronamespace as schema, p.proname as name, '(' || oidvectortypes(p.proargtypes) || ')' as part, p.proowner as owner, 0 as on_",
    "from pg_proc p join pg_language l on l.oid = p.prolang where p.prokind <> 'a' and p.oid >= 16384" {
        /// Which sort it is, if not simply a function.
        sort: Option<String> = "case p.prokind when 'p' then 'procedure' when 'w' then 'window function' end",
        /// Its arguments with names, modes and defaults.
        arguments: Option<String> = "nullif(pg_get_function_arguments(p.oid), '')",
        /// What it returns.
        returns: Option<String> = "pg_get_function_result(p.oid)",
        /// The language.
        language: String = "l.lanname",
        /// The body as it was written.
        body: Option<String> = "case when p.prosqlbody is null then p.prosrc end",
        /// A body that was parsed when the function was made.
        sql_body: Deparsed = "case when p.prosqlbody is not null then pg_get_function_sqlbody(p.oid) end",
        /// The file of a function in C.
        library: Option<String> = "p.probin",
        /// Whether it may be called less often, unless `volatile`.
        volatility: Option<String> = "case p.provolatile when 'i' then 'immutable' when 's' then 'stable' end",
        /// Whether it is not called with a null.
        strict: bool = "p.proisstrict",
        /// Whether it has the rights of its owner.
        security_definer: bool = "p.prosecdef",
        /// Whether it reveals nothing of its arguments but the result.
        leakproof: bool = "p.proleakproof",
        /// Whether a parallel plan may call it, unless `unsafe`.
        parallel: Option<String> = "case p.proparallel when 's' then 'safe' when 'r' then 'restricted' end",
        /// The planner's estimate of its cost, unless as usual for the language.
        cost: Option<String> = "nullif(p.procost, case when l.lanname in ('c', 'internal') then 1 else 100 end)",
        /// The planner's estimate of its rows, unless as usual.
        rows: Option<String> = "case when p.proretset then nullif(p.prorows, 1000) end",
        /// The function that helps the planner.
        support: Option<String> = "nullif(p.prosupport::oid, 0)::regproc",
        /// What is set while it runs.
        settings: Vec<String> = "p.proconfig",
        /// The types that its language transforms.
        transforms: Vec<String> = "p.protrftypes::regtype[]::text[]",
    }
}

kind! {
    /// An aggregate.
    Aggregate: PG_PROC, "p.oid, 0 as sub, p.pronamespace as schema, p.proname as name, '(' || oidvectortypes(p.proargtypes) || ')' as part, p.proowner as owner, 0 as on_",
    "from pg_proc p join pg_aggregate g on g.aggfnoid = p.oid where p.oid >= 16384" {
        /// Its arguments.
        arguments: Option<String> = "nullif(pg_get_function_arguments(p.oid), '')",
        /// What it returns.
        returns: Option<String> = "pg_get_function_result(p.oid)",
        /// Whether it orders its input, and how many arguments come first.
        ordered_set: Option<String> = "case when g.aggkind <> 'n' then case g.aggkind when 'h' then 'hypothetical ' else 'ordered ' end || g.aggnumdirectargs end",
        /// The type of the state.
        state: String = "format_type(g.aggtranstype, null)",
        /// Its functions and numbers, by the names that `create aggregate` gives them.
        options: Options = "array_remove(array[
             'sfunc=' || g.aggtransfn, 'finalfunc=' || nullif(g.aggfinalfn::oid, 0)::regproc, 'combinefunc=' || nullif(g.aggcombinefn::oid, 0)::regproc,
             'serialfunc=' || nullif(g.aggserialfn::oid, 0)::regproc, 'deserialfunc=' || nullif(g.aggdeserialfn::oid, 0)::regproc,
             'msfunc=' || nullif(g.aggmtransfn::oid, 0)::regproc, 'minvfunc=' || nullif(g.aggminvtransfn::oid, 0)::regproc,
             'mfinalfunc=' || nullif(g.aggmfinalfn::oid, 0)::regproc, 'mstype=' || format_type(nullif(g.aggmtranstype, 0), null),
             'finalfunc_extra=' || nullif(g.aggfinalextra, false), 'mfinalfunc_extra=' || nullif(g.aggmfinalextra, false),
             'finalfunc_modify=' || g.aggfinalmodify::text, 'mfinalfunc_modify=' || g.aggmfinalmodify::text,
             'sortop=' || nullif(g.aggsortop, 0)::regoperator, 'sspace=' || nullif(g.aggtransspace, 0), 'msspace=' || nullif(g.aggmtransspace, 0),
             'initcond=' || g.agginitval, 'minitcond=' || g.aggminitval, 'parallel=' || nullif(p.proparallel, 'u')::text], null)",
    }
}

kind! {
    /// An operator.
    Operator: PG_OPERATOR, "o.oid, 0 as sub, o.oprnamespace as schema, o.oprname as name,
         '(' || coalesce(format_type(nullif(o.oprleft, 0), null), 'NONE') || ', ' || format_type(o.oprright, null) || ')' as part, o.oprowner as owner, 0 as on_",
    "from pg_operator o where o.oid >= 16384" {
        /// The function; none while it is only another's commutator.
        function: Option<String> = "nullif(o.oprcode::oid, 0)::regprocedure",
        /// What it returns.
        returns: Option<String> = "format_type(nullif(o.oprresult, 0), null)",
        /// The operator with the operands exchanged.
        commutator: Option<String> = "nullif(o.oprcom, 0)::regoperator",
        /// The operator that says the opposite.
        negator: Option<String> = "nullif(o.oprnegate, 0)::regoperator",
        /// The function that estimates how many rows it selects.
        restrict: Option<String> = "nullif(o.oprrest::oid, 0)::regproc",
        /// The same for a join.
        join: Option<String> = "nullif(o.oprjoin::oid, 0)::regproc",
        /// Whether it can join by hashes.
        hashes: bool = "o.oprcanhash",
        /// Whether it can join sorted input.
        merges: bool = "o.oprcanmerge",
    }
}

kind! {
    /// An operator family, with what belongs to it and to none of its classes.
    OperatorFamily: PG_OPFAMILY, "f.oid, 0 as sub, f.opfnamespace as schema, f.opfname as name, '(' || m.amname || ')' as part, f.opfowner as owner, 0 as on_",
    "from pg_opfamily f join pg_am m on m.oid = f.opfmethod where f.oid >= 16384" {
        /// Its operators by number.
        operators: Options = "array(select concat_ws(' ', o.amopstrategy, o.amopopr::regoperator, case when o.amopsortfamily <> 0 then
             (select 'for order by ' || s.opfnamespace::regnamespace || '.' || quote_ident(s.opfname) from pg_opfamily s where s.oid = o.amopsortfamily) end)
             from pg_amop o where o.amopfamily = f.oid
             and not exists (select from pg_depend d where d.classid = 2602 and d.objid = o.oid and d.refclassid = 2616) order by o.oid)",
        /// Its functions by number.
        functions: Options = "array(select format('%s (%s, %s) %s', q.amprocnum, q.amproclefttype::regtype, q.amprocrighttype::regtype, q.amproc::regprocedure)
             from pg_amproc q where q.amprocfamily = f.oid
             and not exists (select from pg_depend d where d.classid = 2603 and d.objid = q.oid and d.refclassid = 2616) order by q.oid)",
    }
}

kind! {
    /// An operator class.
    OperatorClass: PG_OPCLASS, "x.oid, 0 as sub, x.opcnamespace as schema, x.opcname as name, '(' || m.amname || ')' as part, x.opcowner as owner, 0 as on_",
    "from pg_opclass x join pg_am m on m.oid = x.opcmethod join pg_opfamily f on f.oid = x.opcfamily where x.oid >= 16384" {
        /// The type of the column.
        data_type: String = "format_type(x.opcintype, null)",
        /// The family.
        family: String = "f.opfnamespace::regnamespace || '.' || quote_ident(f.opfname)",
        /// Whether it is the type's usual one.
        default: bool = "x.opcdefault",
        /// The type that is stored, if it is another.
        stored_type: Option<String> = "format_type(nullif(x.opckeytype, 0), null)",
        /// Its operators by number.
        operators: Options = "array(select concat_ws(' ', o.amopstrategy, o.amopopr::regoperator, case when o.amopsortfamily <> 0 then
             (select 'for order by ' || s.opfnamespace::regnamespace || '.' || quote_ident(s.opfname) from pg_opfamily s where s.oid = o.amopsortfamily) end)
             from pg_depend d join pg_amop o on o.oid = d.objid where d.classid = 2602 and d.refclassid = 2616 and d.refobjid = x.oid order by o.oid)",
        /// Its functions by number.
        functions: Options = "array(select format('%s (%s, %s) %s', q.amprocnum, q.amproclefttype::regtype, q.amprocrighttype::regtype, q.amproc::regprocedure)
             from pg_depend d join pg_amproc q on q.oid = d.objid where d.classid = 2603 and d.refclassid = 2616 and d.refobjid = x.oid order by q.oid)",
    }
}

kind! {
    /// A cast.
    Cast: PG_CAST, "c.oid, 0 as sub, 0 as schema, '(' || format_type(c.castsource, null) || ' as ' || format_type(c.casttarget, null) || ')' as name, '' as part, 0 as owner, 0 as on_",
    "from pg_cast c where c.oid >= 16384" {
        /// The function.
        function: Option<String> = "nullif(c.castfunc, 0)::regprocedure",
        /// How it is done without one.
        method: Option<String> = "case c.castmethod when 'i' then 'inout' when 'b' then 'binary' end",
        /// Where it is done by itself: in assignments, or everywhere.
        context: Option<String> = "case c.castcontext when 'a' then 'assignment' when 'i' then 'implicit' end",
    }
}

kind! {
    /// A conversion between encodings.
    Conversion: PG_CONVERSION, "c.oid, 0 as sub, c.connamespace as schema, c.conname as name, '' as part, c.conowner as owner, 0 as on_",
    "from pg_conversion c where c.oid >= 16384" {
        /// From which encoding to which.
        encodings: String = "pg_encoding_to_char(c.conforencoding) || ' to ' || pg_encoding_to_char(c.contoencoding)",
        /// The function.
        function: String = "c.conproc",
        /// Whether it is the usual one.
        default: bool = "c.condefault",
    }
}

kind! {
    /// A language for functions.
    Language: PG_LANGUAGE, "l.oid, 0 as sub, 0 as schema, l.lanname as name, '' as part, l.lanowner as owner, 0 as on_",
    "from pg_language l where l.oid >= 16384" {
        /// Whether anyone may write functions in it.
        trusted: bool = "l.lanpltrusted",
        /// The function that calls its functions.
        handler: Option<String> = "nullif(l.lanplcallfoid, 0)::regproc",
        /// The function that runs a block of code.
        inline: Option<String> = "nullif(l.laninline, 0)::regproc",
        /// The function that checks new functions.
        validator: Option<String> = "nullif(l.lanvalidator, 0)::regproc",
    }
}

kind! {
    /// How a language sees a type.
    Transform: PG_TRANSFORM, "x.oid, 0 as sub, 0 as schema, 'for ' || format_type(x.trftype, null) || ' language ' || quote_ident(l.lanname) as name, '' as part, 0 as owner, 0 as on_",
    "from pg_transform x join pg_language l on l.oid = x.trflang where x.oid >= 16384" {
        /// The function that gives the language its value.
        from_sql: Option<String> = "nullif(x.trffromsql::oid, 0)::regprocedure",
        /// The function that takes it back.
        to_sql: Option<String> = "nullif(x.trftosql::oid, 0)::regprocedure",
    }
}

kind! {
    /// An access method.
    AccessMethod: PG_AM, "m.oid, 0 as sub, 0 as schema, m.amname as name, '' as part, 0 as owner, 0 as on_",
    "from pg_am m where m.oid >= 16384" {
        /// What it is for.
        sort: String = "case m.amtype when 't' then 'table' else 'index' end",
        /// The function.
        handler: String = "m.amhandler",
    }
}
