//! Text search, publications and subscriptions, event triggers.

use super::kind;
use crate::attribute::{Implied, Options, Versioned};

kind! {
    /// A text search parser.
    Parser: PG_TS_PARSER, "p.oid, 0 as sub, p.prsnamespace as schema, p.prsname as name, '' as part, 0 as owner, 0 as on_",
    "from pg_ts_parser p where p.oid >= 16384" {
        /// Its functions: start, next token, end, headline, types of tokens.
        functions: Vec<String> = "array[p.prsstart, p.prstoken, p.prsend, p.prsheadline, p.prslextype]::text[]",
    }
}

kind! {
    /// A text search template.
    Template: PG_TS_TEMPLATE, "t.oid, 0 as sub, t.tmplnamespace as schema, t.tmplname as name, '' as part, 0 as owner, 0 as on_",
    "from pg_ts_template t where t.oid >= 16384" {
        /// Its functions: initialise, lexize.
        functions: Vec<String> = "array[t.tmplinit, t.tmpllexize]::text[]",
    }
}

kind! {
    /// A text search dictionary.
    Dictionary: PG_TS_DICT, "d.oid, 0 as sub, d.dictnamespace as schema, d.dictname as name, '' as part, d.dictowner as owner, 0 as on_",
    "from pg_ts_dict d join pg_ts_template t on t.oid = d.dicttemplate where d.oid >= 16384" {
        /// The template.
        template: String = "t.tmplnamespace::regnamespace || '.' || quote_ident(t.tmplname)",
        /// Its options, as they were written.
        options: Option<String> = "d.dictinitoption",
    }
}

kind! {
    /// A text search configuration.
    Configuration: PG_TS_CONFIG, "c.oid, 0 as sub, c.cfgnamespace as schema, c.cfgname as name, '' as part, c.cfgowner as owner, 0 as on_",
    "from pg_ts_config c join pg_ts_parser p on p.oid = c.cfgparser where c.oid >= 16384" {
        /// The parser.
        parser: String = "p.prsnamespace::regnamespace || '.' || quote_ident(p.prsname)",
        /// The dictionaries of each type of token, in the order of their turns.
        mappings: Vec<String> = "array(select (select k.alias from ts_token_type(c.cfgparser) k where k.tokid = m.maptokentype) || ' ' || string_agg(m.mapdict::regdictionary::text, ', ' order by m.mapseqno)
             from pg_ts_config_map m where m.mapcfg = c.oid group by m.maptokentype order by m.maptokentype)",
    }
}

kind! {
    /// A publication.
    Publication: PG_PUBLICATION, "p.oid, 0 as sub, 0 as schema, p.pubname as name, '' as part, p.pubowner as owner, 0 as on_",
    "from pg_publication p where p.oid >= 16384" {
        /// Whether it has every table.
        all_tables: bool = "p.puballtables",
        /// Its tables, each with columns and filter.
        tables: Options = "array(select concat_ws(' ', r.prrelid::regclass,
                 '(' || (select string_agg(quote_ident(a.attname), ', ' order by a.attnum) from pg_attribute a where a.attrelid = r.prrelid and a.attnum = any (r.prattrs)) || ')',
                 'where (' || pg_get_expr(r.prqual, r.prrelid) || ')') from pg_publication_rel r where r.prpubid = p.oid)",
        /// Its schemas.
        schemas: Options = "array(select s.pnnspid::regnamespace::text from pg_publication_namespace s where s.pnpubid = p.oid)",
        /// What it publishes.
        publishes: Vec<String> = "array_remove(array[case when p.pubinsert then 'insert' end, case when p.pubupdate then 'update' end,
             case when p.pubdelete then 'delete' end, case when p.pubtruncate then 'truncate' end], null)",
        /// Whether partitions are published as their root.
        via_root: bool = "p.pubviaroot",
        /// Which generated columns are published.
        generated_columns: Option<String> = "{18: case p.pubgencols when 's' then 'stored' end | null::text}",
    }
}

kind! {
    /// A subscription.
    Subscription: PG_SUBSCRIPTION, "s.oid, 0 as sub, 0 as schema, s.subname as name, '' as part, s.subowner as owner, 0 as on_",
    "from pg_subscription s where s.subdbid = (select oid from pg_database where datname = current_database())" {
        /// Whether it is at work.
        enabled: bool = "s.subenabled",
        /// What it subscribes to.
        publications: Options = "s.subpublications",
        /// How it connects, if this session may know. It may hold a password, so nothing may show it but a script that sets it.
        /// The query in a query is run for those alone who may read the column; the others could not even name it.
        connection: Implied<Option<String>> = "case when has_column_privilege('pg_subscription'::regclass, 'subconninfo', 'select') then (
             select replace(replace(replace(replace(substring(x from '<subconninfo>(.*)</subconninfo>'), '&lt;', '<'), '&gt;', '>'), '&#x0d;', chr(13)), '&amp;', '&')
             from text(query_to_xml('select subconninfo from pg_catalog.pg_subscription where oid = ' || s.oid, false, true, '')) x) end",
        /// The slot on the other server.
        slot: Option<String> = "s.subslotname",
        /// What else `create subscription` says, by its names; major versions have other ones, and other defaults.
        options: Versioned<Options> = "array_remove(array['binary=' || s.subbinary, 'streaming=' || s.substream::text, 'synchronous_commit=' || s.subsynccommit,
             'two_phase=' || (s.subtwophasestate <> 'd'), 'disable_on_error=' || s.subdisableonerr,
             {16: 'password_required=' || s.subpasswordrequired | null}, {16: 'run_as_owner=' || s.subrunasowner | null},
             {16: 'origin=' || s.suborigin | null}, {17: 'failover=' || s.subfailover | null}], null)",
    }
}

kind! {
    /// An event trigger.
    EventTrigger: PG_EVENT_TRIGGER, "e.oid, 0 as sub, 0 as schema, e.evtname as name, '' as part, e.evtowner as owner, 0 as on_",
    "from pg_event_trigger e where e.oid >= 16384" {
        /// What it waits for.
        event: String = "e.evtevent",
        /// The function.
        function: String = "e.evtfoid::regproc",
        /// The commands that it is for, if not all.
        tags: Options = "e.evttags",
        /// Whether and when it runs, unless it does so in ordinary sessions.
        state: Option<String> = "case e.evtenabled when 'D' then 'disabled' when 'R' then 'enabled in replication' when 'A' then 'enabled always' end",
    }
}
