//! Tables and views of every sort, and their parts.

use super::kind;
use crate::{
    attribute::{Columns, Copies, Deparsed, Implied, Noted, Options, Reference, Relation, Roles},
    index::Keys,
};

kind! {
    /// A table, partitioned or not, or a partition.
    Table: PG_CLASS, "c.oid, 0 as sub, c.relnamespace, c.relname, '' as part, c.relowner, 0 as on_",
    "from pg_class c left join pg_class t on t.oid = c.reltoastrelid
     where c.relkind in ('r', 'p') and c.oid >= 16384" {
        /// Whether it is lost in a crash.
        unlogged: bool = "c.relpersistence = 'u'",
        /// How a partitioned table is divided.
        partitioned_by: Option<String> = "case when c.relkind = 'p' then pg_get_partkeydef(c.oid) end",
        /// Which rows a partition holds.
        partition: Option<String> = "case when c.relispartition then pg_get_expr(c.relpartbound, c.oid) end",
        /// The tables that it inherits from, or is a partition of, in the order that counts.
        inherits: Vec<String> = "case when c.relispartition or c.relhassubclass or exists (select from pg_inherits i where i.inhrelid = c.oid) then
             array(select i.inhparent::regclass::text || case when i.inhdetachpending then ' (detach pending)' else '' end
                   from pg_inherits i where i.inhrelid = c.oid order by i.inhseqno) end",
        /// The composite type of a typed table.
        of_type: Option<String> = "nullif(c.reloftype, 0)::regtype",
        /// Whether its policies apply.
        row_security: bool = "c.relrowsecurity",
        /// Whether they apply to its owner too.
        forced_row_security: bool = "c.relforcerowsecurity",
        /// What identifies a row to logical replication, unless that is the primary key.
        replica_identity: Option<String> = "case c.relreplident when 'n' then 'nothing' when 'f' then 'full' when 'i' then 'index' end",
        /// The options in `with`, also of its TOAST table.
        options: Options = "c.reloptions || array(select 'toast.' || o from unnest(t.reloptions) o)",
        /// The access method, unless it is `heap`. A partitioned table has it for its new partitions, and may have none.
        access_method: Option<String> = "case when c.relam <> 2 or c.relkind = 'p' then (select amname from pg_am where oid = c.relam) end",
        /// The tablespace, unless it is the database's own.
        tablespace: Option<String> = "case when c.reltablespace <> 0 then (select spcname from pg_tablespace where oid = c.reltablespace) end",
    }
}

kind! {
    /// A table of another server.
    ForeignTable: PG_CLASS, "c.oid, 0 as sub, c.relnamespace, c.relname, '' as part, c.relowner, 0 as on_",
    "from pg_class c join pg_foreign_table f on f.ftrelid = c.oid join pg_foreign_server s on s.oid = f.ftserver
     where c.relkind = 'f' and c.oid >= 16384" {
        /// The server.
        server: String = "s.srvname",
        /// The options.
        options: Options = "f.ftoptions",
        /// Which rows a partition holds.
        partition: Option<String> = "case when c.relispartition then pg_get_expr(c.relpartbound, c.oid) end",
        /// The tables that it inherits from, or is a partition of.
        inherits: Vec<String> = "array(select i.inhparent::regclass::text from pg_inherits i where i.inhrelid = c.oid order by i.inhseqno)",
    }
}

kind! {
    /// A view.
    View: PG_CLASS, "c.oid, 0 as sub, c.relnamespace, c.relname, '' as part, c.relowner, 0 as on_",
    "from pg_class c where c.relkind = 'v' and c.oid >= 16384" {
        /// The query, as the server prints it.
        definition: Deparsed = "pg_get_viewdef(c.oid)",
        /// The options in `with`, among them `check_option`.
        options: Options = "c.reloptions",
    }
}

kind! {
    /// A materialized view.
    MaterializedView: PG_CLASS, "c.oid, 0 as sub, c.relnamespace, c.relname, '' as part, c.relowner, 0 as on_",
    "from pg_class c left join pg_class t on t.oid = c.reltoastrelid where c.relkind = 'm' and c.oid >= 16384" {
        /// The query, as the server prints it.
        definition: Deparsed = "pg_get_viewdef(c.oid)",
        /// Whether it has never been filled, or was emptied.
        unpopulated: bool = "not c.relispopulated",
        /// What identifies a row to logical replication, unless that is the primary key.
        replica_identity: Option<String> = "case c.relreplident when 'n' then 'nothing' when 'f' then 'full' when 'i' then 'index' end",
        /// The options in `with`, and the options of its TOAST table.
        options: Options = "c.reloptions || array(select 'toast.' || o from unnest(t.reloptions) o)",
        /// The access method, unless it is `heap`.
        access_method: Option<String> = "case when c.relam <> 2 then (select amname from pg_am where oid = c.relam) end",
        /// The tablespace, unless it is the database's own.
        tablespace: Option<String> = "case when c.reltablespace <> 0 then (select spcname from pg_tablespace where oid = c.reltablespace) end",
    }
}

kind! {
    /// A composite type that is no table's. Its attributes are columns.
    CompositeType: PG_CLASS, "c.oid, 0 as sub, c.relnamespace, c.relname, '' as part, c.relowner, 0 as on_",
    "from pg_class c where c.relkind = 'c' and c.oid >= 16384" {}
}

kind! {
    /// A sequence. Where it stands is data, and not here.
    Sequence: PG_CLASS, "c.oid, 0 as sub, c.relnamespace, c.relname, '' as part, c.relowner, 0 as on_",
    "from pg_class c join pg_sequence s on s.seqrelid = c.oid
     left join pg_depend d on d.classid = 1259 and d.objid = c.oid and d.refclassid = 1259 and d.refobjsubid > 0 and d.deptype in ('a', 'i')
     where c.oid >= 16384" {
        /// The type of its values.
        data_type: String = "format_type(s.seqtypid, null)",
        /// The first value.
        start: i64 = "s.seqstart",
        /// The step.
        increment: i64 = "s.seqincrement",
        /// The smallest value.
        minimum: i64 = "s.seqmin",
        /// The largest value.
        maximum: i64 = "s.seqmax",
        /// How many values a session takes at once.
        cache: i64 = "s.seqcache",
        /// Whether it begins again after the last value.
        cycle: bool = "s.seqcycle",
        /// Whether it is lost in a crash.
        unlogged: bool = "c.relpersistence = 'u'",
        /// The column that it goes away with.
        owned_by: Option<Reference> = "d.refobjid || ' {' || d.refobjsubid || '}'",
        /// Whether it is that column's identity, and so no object of its own.
        identity: bool = "coalesce(d.deptype = 'i', false)",
    }
}

kind! {
    /// A column of a table or view, or an attribute of a composite type.
    Column: PG_CLASS, "a.attrelid as oid, a.attnum as sub, 0 as schema, a.attname as name, '' as part, 0 as owner, a.attrelid as on_",
    "from pg_attribute a join pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p', 'f', 'v', 'm', 'c')
     join pg_type t on t.oid = a.atttypid
     left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
     where a.attrelid >= 16384 and a.attnum > 0 and not a.attisdropped" {
        /// Where it stands among the others; compared by their order alone.
        position: Noted<i16> = "a.attnum",
        /// The type, with its modifiers.
        data_type: String = "format_type(a.atttypid, a.atttypmod)",
        /// The collation, unless it is the type's.
        collation: Option<String> = "case when a.attcollation <> t.typcollation then a.attcollation::regcollation end",
        /// Whether it refuses null.
        not_null: bool = "a.attnotnull",
        /// The default, or the expression of a generated column.
        default: Option<String> = "pg_get_expr(d.adbin, d.adrelid)",
        /// Whether the default is computed from the row, and when: `stored` or `virtual`.
        generated: Option<String> = "case a.attgenerated when 's' then 'stored' when 'v' then 'virtual' end",
        /// Whether it numbers the rows: `always` or `by default`.
        identity: Option<String> = "case a.attidentity when 'a' then 'always' when 'd' then 'by default' end",
        /// How long values are stored, unless as usual for the type. A type or a view stores none.
        storage: Option<String> = "case when a.attstorage <> t.typstorage and c.relkind not in ('c', 'v') then
             case a.attstorage when 'p' then 'plain' when 'e' then 'external' when 'm' then 'main' when 'x' then 'extended' end end",
        /// How values of the type are stored as usual.
        usual_storage: Implied<String> = "case t.typstorage when 'p' then 'plain' when 'e' then 'external' when 'm' then 'main' else 'extended' end",
        /// How they are compressed, unless as usual for the server.
        compression: Option<String> = "case a.attcompression when 'p' then 'pglz' when 'l' then 'lz4' end",
        /// How many values `analyze` samples, unless as usual.
        statistics: Option<i32> = "case when a.attstattarget >= 0 then a.attstattarget end",
        /// Options for the planner.
        options: Options = "a.attoptions",
        /// Options for a foreign-data wrapper.
        foreign_options: Options = "a.attfdwoptions",
        /// Whether it comes from a parent table.
        inherited: bool = "a.attinhcount > 0",
        /// Whether it is declared in this table too, if it comes from a parent.
        declared_here: bool = "a.attinhcount > 0 and a.attislocal",
    }
}

kind! {
    /// A primary key, a foreign key, or a unique, check or exclusion constraint of a table.
    Constraint: PG_CONSTRAINT, "k.oid, 0 as sub, 0 as schema, k.conname as name, '' as part, 0 as owner, k.conrelid as on_",
    "from pg_constraint k left join pg_class x on x.oid = k.conindid
     left join (select tgconstraint, min(tgenabled) as state from pg_trigger where tgisinternal and tgenabled <> 'O' group by 1) g on g.tgconstraint = k.oid
     left join (
         with recursive copies as (
             select c.oid, c.conrelid, c.conname, o.oid as original, o.conname as name
                 from pg_constraint c join pg_constraint o on o.oid = c.conparentid
                 where c.contype = 'f' and c.conparentid <> 0 and o.conparentid = 0 and c.conrelid <> o.conrelid
             union all select c.oid, c.conrelid, c.conname, copies.original, copies.name
                 from copies join pg_constraint c on c.conparentid = copies.oid and c.conrelid <> copies.conrelid)
         select original, array_agg(conrelid || ' ' || conname) as copies from copies where conname <> name group by 1) m on m.original = k.oid
     where k.conrelid >= 16384 and k.contype in ('p', 'u', 'c', 'x', 'f') and not (k.contype = 'f' and k.conparentid <> 0)" {
        /// Which sort it is.
        sort: String = "case k.contype when 'p' then 'primary key' when 'u' then 'unique' when 'c' then 'check' when 'x' then 'exclude' when 'f' then 'foreign key' end",
        /// Its columns, in its order.
        columns: Columns = "k.conkey",
        /// What a check demands.
        check: Option<String> = "case when k.contype = 'c' then pg_get_expr(k.conbin, k.conrelid) end",
        /// What an exclusion constraint demands.
        exclude: Option<String> = "case when k.contype = 'x' then pg_get_constraintdef(k.oid) end",
        /// What a foreign key refers to.
        references: Option<Reference> = "case when k.contype = 'f' then k.confrelid || ' ' || k.confkey::text end",
        /// What happens to its rows when a row that it refers to is deleted, unless that is refused at the end of the statement.
        on_delete: Option<String> = "case k.confdeltype when 'c' then 'cascade' when 'n' then 'set null' when 'd' then 'set default' when 'r' then 'restrict' end",
        /// The same for an update.
        on_update: Option<String> = "case k.confupdtype when 'c' then 'cascade' when 'n' then 'set null' when 'd' then 'set default' when 'r' then 'restrict' end",
        /// The columns that a delete sets to null or to their defaults, if not all.
        on_delete_columns: Columns = "k.confdelsetcols",
        /// Whether all or none of the columns must be null: `full`.
        match_full: bool = "k.confmatchtype = 'f'",
        /// The unique index that a foreign key relies on. The server chooses it among those that fit, and no statement names it.
        relies_on: Noted<Option<String>> = "case when k.contype = 'f' then x.relname end",
        /// Whether it is checked at the end of the transaction if the session says so.
        deferrable: bool = "k.condeferrable",
        /// Whether it is checked then by itself.
        initially_deferred: bool = "k.condeferred",
        /// Whether older rows were never checked.
        not_valid: bool = "not k.convalidated",
        /// Whether and when its triggers run, unless in ordinary sessions; `alter table … disable trigger all` disables them.
        triggers: Option<String> = "case g.state when 'D' then 'disabled' when 'R' then 'enabled in replication' when 'A' then 'enabled always' end",
        /// Whether it is written down only.
        not_enforced: bool = "{18: not k.conenforced | false}",
        /// Whether its last column is a period that may not overlap or must be covered.
        period: bool = "{18: k.conperiod | false}",
        /// Whether child tables are free of it.
        no_inherit: bool = "k.contype = 'c' and k.connoinherit",
        /// The copies of a foreign key in partitions. They are no objects while their tables are partitions.
        copies: Implied<Copies> = "m.copies",
        /// Whether it comes from a parent table.
        inherited: bool = "k.coninhcount > 0",
        /// Whether it is declared in this table too, if it comes from a parent.
        declared_here: bool = "k.coninhcount > 0 and k.conislocal",
    }
}

kind! {
    /// A not-null constraint, which has a name from PostgreSQL 18 on. That the column refuses null is said by [`Column`].
    NotNull: PG_CONSTRAINT, "k.oid, 0 as sub, 0 as schema, k.conname as name, '' as part, 0 as owner, k.conrelid as on_",
    "from pg_constraint k where k.conrelid >= 16384 and k.contype = 'n'" {
        /// The column.
        columns: Columns = "k.conkey",
        /// Whether older rows were never checked.
        not_valid: bool = "not k.convalidated",
        /// Whether child tables are free of it.
        no_inherit: bool = "k.connoinherit",
        /// Whether it comes from a parent table.
        inherited: bool = "k.coninhcount > 0",
        /// Whether it is declared in this table too, if it comes from a parent.
        declared_here: bool = "k.coninhcount > 0 and k.conislocal",
    }
}

kind! {
    /// An index, also of a constraint.
    Index: PG_CLASS, "i.indexrelid as oid, 0 as sub, c.relnamespace as schema, c.relname as name, '' as part, 0 as owner, i.indrelid as on_",
    "from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam
     left join pg_inherits h on h.inhrelid = i.indexrelid
     left join (select a.attrelid, array_agg(concat_ws(' ', a.attnum, a.attoptions::text, 'statistics ' || case when a.attstattarget >= 0 then a.attstattarget end) order by a.attnum) as settings
                from pg_attribute a where a.attrelid >= 16384 and (a.attoptions is not null or a.attstattarget >= 0) group by 1) s on s.attrelid = i.indexrelid
     where i.indexrelid >= 16384 and i.indrelid >= 16384" {
        /// The table or materialized view.
        table: Relation = "i.indrelid",
        /// The access method.
        method: String = "m.amname",
        /// Whether no two rows may be alike in it.
        unique: bool = "i.indisunique",
        /// Whether null equals null.
        nulls_not_distinct: bool = "i.indnullsnotdistinct",
        /// Its columns and expressions, each with what is not usual about it: collation, operator class, order.
        keys: Keys = "i.indnkeyatts || '|' || i.indkey::text || '|' || i.indclass::text || '|' || i.indcollation::text || '|' || i.indoption::text || '|'
             || case when i.indexprs is null then '' else array(select pg_get_indexdef(i.indexrelid, n, false) from generate_series(1, i.indnkeyatts) n)::text end",
        /// The columns that it only carries.
        include: Columns = "case when i.indnatts > i.indnkeyatts then (i.indkey::int2[])[i.indnkeyatts:] end",
        /// Which rows it holds, if not all.
        predicate: Option<String> = "pg_get_expr(i.indpred, i.indrelid)",
        /// The options in `with`.
        options: Options = "c.reloptions",
        /// The tablespace, unless it is the database's own.
        tablespace: Option<String> = "case when c.reltablespace <> 0 then (select spcname from pg_tablespace where oid = c.reltablespace) end",
        /// What is not usual about single columns: options of an operator class, statistics targets.
        column_settings: Vec<String> = "s.settings",
        /// Whether a statement that failed left it half built; of a partitioned table: whether a partition has none.
        invalid: bool = "not i.indisvalid",
        /// Whether the table was last clustered by it.
        clustered: bool = "i.indisclustered",
        /// Whether it identifies a row to logical replication.
        replica_identity: bool = "i.indisreplident",
        /// The index of the partitioned table that it is a part of.
        attached_to: Option<String> = "h.inhparent::regclass",
    }
}

kind! {
    /// A trigger. Those that Postgres makes for foreign keys are part of the key.
    Trigger: PG_TRIGGER, "t.oid, 0 as sub, 0 as schema, t.tgname as name, '' as part, 0 as owner, t.tgrelid as on_",
    "from pg_trigger t where not t.tgisinternal and t.tgrelid >= 16384" {
        /// The whole statement that makes it.
        definition: String = "pg_get_triggerdef(t.oid)",
        /// Whether and when it runs, unless it does so in ordinary sessions.
        state: Option<String> = "case t.tgenabled when 'D' then 'disabled' when 'R' then 'enabled in replication' when 'A' then 'enabled always' end",
        /// The columns whose updates it waits for.
        columns: Columns = "t.tgattr::int2[]",
        /// Whether `truncate` fires it.
        on_truncate: bool = "t.tgtype & 32 <> 0",
        /// Whether it only checks, and can wait for the end of the transaction.
        constraint: bool = "t.tgconstraint <> 0",
        /// Whether it is a partition's copy of its parent's.
        inherited: bool = "t.tgparentid <> 0",
    }
}

kind! {
    /// A rule. A view's own `_RETURN` is its definition.
    Rule: PG_REWRITE, "w.oid, 0 as sub, 0 as schema, w.rulename as name, '' as part, 0 as owner, w.ev_class as on_",
    "from pg_rewrite w join pg_class c on c.oid = w.ev_class
     where w.oid >= 16384 and not (w.rulename = '_RETURN' and c.relkind in ('v', 'm'))" {
        /// The whole statement that makes it.
        definition: Deparsed = "pg_get_ruledef(w.oid)",
        /// What it rewrites.
        event: String = "case w.ev_type when '1' then 'select' when '2' then 'update' when '3' then 'insert' when '4' then 'delete' end",
        /// Whether it runs instead of that.
        instead: bool = "w.is_instead",
        /// Whether and when it applies, unless it does so in ordinary sessions.
        state: Option<String> = "case w.ev_enabled when 'D' then 'disabled' when 'R' then 'enabled in replication' when 'A' then 'enabled always' end",
    }
}

kind! {
    /// A policy of row security.
    Policy: PG_POLICY, "p.oid, 0 as sub, 0 as schema, p.polname as name, '' as part, 0 as owner, p.polrelid as on_",
    "from pg_policy p where p.polrelid >= 16384" {
        /// The command that it is for.
        command: String = "case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end",
        /// Whether it only restricts what others allow.
        restrictive: bool = "not p.polpermissive",
        /// Whom it is for.
        roles: Roles = "p.polroles",
        /// Which rows may be seen; a query in it is printed by each version in its own way.
        using: Deparsed = "pg_get_expr(p.polqual, p.polrelid)",
        /// Which rows may be written.
        check: Deparsed = "pg_get_expr(p.polwithcheck, p.polrelid)",
    }
}

kind! {
    /// Extended statistics.
    Statistics: PG_STATISTIC_EXT, "x.oid, 0 as sub, x.stxnamespace as schema, x.stxname as name, '' as part, x.stxowner as owner, x.stxrelid as on_",
    "from pg_statistic_ext x where x.oid >= 16384" {
        /// The whole statement that makes them, with its columns by name: the server has them as they stand in the table.
        definition: String = "(select coalesce(replace(pg_get_statisticsobjdef(x.oid), ' ON ' || string_agg(quote_ident(a.attname), ', ' order by a.attnum),
             ' ON ' || string_agg(quote_ident(a.attname), ', ' order by a.attname)), pg_get_statisticsobjdef(x.oid))
             from pg_attribute a where a.attrelid = x.stxrelid and a.attnum = any (x.stxkeys))",
        /// How many values `analyze` samples, unless as usual.
        target: Option<i32> = "case when x.stxstattarget >= 0 then x.stxstattarget end",
    }
}

impl Constraint {
    /// Whether an index of the constraint's name makes it true.
    pub fn has_index(&self) -> bool {
        matches!(self.sort.as_str(), "primary key" | "unique" | "exclude")
    }
}
