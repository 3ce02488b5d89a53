//! Indexes.

use catalogue::{Body, Index, Key, Kind, Object};

use super::table;
use crate::{
    it::It,
    managed::{Managed, UNKNOWN},
    means::{Facet, Means},
    options::{set_options, storage_option, with},
    side::needed_index,
    statement::{Hazard, Sql},
};

/// The facet of an index that makes it a part of the partitioned table's.
pub(crate) const ATTACHED: &str = "attached";

impl Managed for Index {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        if is_failed(self, it) {
            return Vec::new();
        }
        let unique = if self.unique { "unique " } else { "" };
        let only = if is_partitioned(it) { "only " } else { "" };
        let settings = settings(self);
        let keys: Vec<String> =
            self.keys.0.iter().enumerate().map(|(n, key)| written(key, n, &settings, it)).collect();
        let mut sql = format!(
            "create {unique}index {} on {only}{} using {} ({})",
            it.quoted(&it.address().name),
            it.names.whole(&self.table.0),
            it.quoted(&self.method),
            keys.join(", ")
        );
        if !self.include.0.is_empty() {
            sql += &format!(" include ({})", it.names.list(&self.include.0));
        }
        if self.nulls_not_distinct {
            sql += " nulls not distinct";
        }
        sql += &with(&self.options);
        if let Some(tablespace) = &self.tablespace {
            sql += &format!(" tablespace {}", it.quoted(tablespace));
        }
        if let Some(predicate) = &self.predicate {
            sql += &format!(" where {predicate}");
        }
        vec![Sql::from(sql).with(Hazard::Lock)]
    }

    fn set(&self, attribute: &str, old: Option<&Index>, it: It<'_, '_>) -> Option<Vec<Sql>> {
        let of_table = || {
            it.side.table_of_index(it.object).map(|table| {
                let word = crate::side::words(table.address.kind);
                format!("alter {word} {}", it.names.whole(&table.address))
            })
        };
        let name = || it.quoted(&it.address().name);
        Some(match (attribute, old) {
            ("options", Some(old)) => set_options(&it.alter(), Some(&old.options), &self.options),
            ("tablespace", Some(_)) => table::set_tablespace(&it.alter(), self.tablespace.as_deref(), it),
            // Another one takes its place by itself.
            ("clustered", _) if !self.clustered && is_clustered_by_another(it) => Vec::new(),
            ("clustered", _) => {
                let how = if self.clustered {
                    format!("cluster on {}", name())
                } else {
                    "set without cluster".to_owned()
                };
                vec![format!("{} {how}", of_table()?).into()]
            }
            ("replica_identity", _) if self.replica_identity => {
                let only = of_table()?.replacen("alter table", "alter table only", 1);
                vec![format!("{only} replica identity using index {}", name()).into()]
            }
            // The table says what identifies its rows instead.
            ("replica_identity", _) => Vec::new(),
            ("column_settings", old) if old.is_none_or(|old| class_options(old) == class_options(self)) => {
                set_statistics(&it.alter(), old, self)
            }
            _ => return None,
        })
    }

    fn change(&self, _: &Index, attribute: &str, from: It<'_, '_>, to: It<'_, '_>) -> Means {
        match attribute {
            // It is let go when its table is detached.
            "attached_to" if !to.side.table_of_index(to.object).is_some_and(Object::is_partition) => {
                Means::Follows
            }
            "attached_to" if self.attached_to.is_none() && is_let_go(from) => Means::Follows,
            "attached_to" if self.attached_to.is_some() => Means::Facet(ATTACHED),
            "invalid" if is_failed(self, to) && self.attached_to.is_none() => {
                Means::Refused("only a statement that fails leaves an invalid index")
            }
            "table" | "method" | "unique" | "nulls_not_distinct" | "keys" | "include" | "predicate"
            | "attached_to" | "column_settings" | "invalid" => Means::Rebuild,
            _ => UNKNOWN,
        }
    }

    fn facets(&self, it: It<'_, '_>) -> Vec<Facet> {
        let Some(parent) = &self.attached_to else { return Vec::new() };
        let attach = format!("alter index {parent} attach partition {}", it.name());
        let set = if is_failed(self, it) { Vec::new() } else { vec![attach.into()] };
        vec![Facet {
            name: ATTACHED,
            set,
            unset: None,
            inline: false,
            replaces: false,
            takes: |need| need.on.kind == Kind::Index,
            completes: false,
        }]
    }
}

/// Whether the index of a key was attached to one that is dropped, for which its table is detached for a moment.
fn is_let_go(it: It<'_, '_>) -> bool {
    let goes_on = needed_index(it.object).is_some_and(|parent| it.names.0.get(parent).is_some());
    it.side.key_attached_alone(it.object).is_some() && !goes_on
}

fn is_partitioned(it: It<'_, '_>) -> bool {
    let table = it.side.table_of_index(it.object);
    table.is_some_and(|table| matches!(&table.body, Body::Table(table) if table.partitioned_by.is_some()))
}

/// Whether an index was left by a statement that failed: no statement makes one, and `pg_dump` does not see it. An index of a
/// partitioned table is made alone, and the indexes of the partitions make it valid.
fn is_failed(index: &Index, it: It<'_, '_>) -> bool {
    index.invalid && !is_partitioned(it)
}

fn is_clustered_by_another(it: It<'_, '_>) -> bool {
    let table = it.side.table_of_index(it.object);
    table.is_some_and(|table| {
        let mut others = it.side.indexes(&table.address).iter();
        others.any(|other| matches!(&other.body, Body::Index(index) if index.clustered))
    })
}

/// What is not usual about a column of an index.
#[derive(Debug, Default)]
struct Setting {
    column: usize,
    /// The options of its operator class, as `name=value`.
    options: Option<String>,
    statistics: Option<String>,
}

fn settings(index: &Index) -> Vec<Setting> {
    let one = |text: &String| {
        let (column, rest) = text.split_once(' ')?;
        let (options, statistics) = match rest.rsplit_once("statistics ") {
            Some((options, number)) => (options.trim_end(), Some(number.to_owned())),
            None => (rest, None),
        };
        let options = options.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
        Some(Setting { column: column.parse().ok()?, options: options.map(str::to_owned), statistics })
    };
    index.column_settings.iter().filter_map(one).collect()
}

fn class_options(index: &Index) -> Vec<(usize, String)> {
    settings(index).into_iter().filter_map(|it| Some((it.column, it.options?))).collect()
}

fn set_statistics(alter: &str, old: Option<&Index>, new: &Index) -> Vec<Sql> {
    let (old, new) = (old.map(settings).unwrap_or_default(), settings(new));
    let value = |of: &[Setting], column| {
        of.iter().find(|it| it.column == column).and_then(|it| it.statistics.clone())
    };
    let columns: std::collections::BTreeSet<usize> = old.iter().chain(&new).map(|it| it.column).collect();
    let changed = columns.into_iter().filter(|&column| value(&old, column) != value(&new, column));
    let set = |column| {
        let target = value(&new, column).unwrap_or_else(|| "-1".to_owned());
        format!("{alter} alter column {column} set statistics {target}").into()
    };
    changed.map(set).collect()
}

/// A key as it stands in `create index`.
fn written(key: &Key, at: usize, settings: &[Setting], it: It<'_, '_>) -> String {
    let mut sql = match (&key.column, &key.expression) {
        (Some(column), _) => it.quoted(column),
        (None, expression) => expression.clone().unwrap_or_default(),
    };
    if let Some(collation) = &key.collation {
        sql += &format!(" collate {collation}");
    }
    let options = settings.iter().find(|it| it.column == at + 1).and_then(|it| it.options.as_ref());
    if options.is_some() || key.operator_class.is_some() {
        sql += &format!(" {}", key.named_class.0);
    }
    if let Some(options) = options {
        let options: Vec<String> = options.split(',').map(storage_option).collect();
        sql += &format!(" ({})", options.join(", "));
    }
    if key.descending {
        sql += " desc";
    }
    match (key.descending, key.nulls_first) {
        (true, false) => sql += " nulls last",
        (false, true) => sql += " nulls first",
        _ => {}
    }
    sql
}
