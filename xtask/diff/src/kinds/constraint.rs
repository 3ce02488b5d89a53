//! Constraints of tables.

use catalogue::{Body, Constraint, Index, NotNull};

use crate::{
    it::It,
    managed::{Managed, UNKNOWN},
    means::Means,
    options::with,
    statement::{Hazard, Sql},
};

impl Managed for Constraint {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        // What an index makes true is made for each partition and attached; anything else reaches all children by itself.
        let alone = self.has_index() || (self.sort == "check" && self.no_inherit);
        let alter = if alone { it.alter_only() } else { it.alter() };
        let sql: Sql = format!("{alter} add {}", definition(self, it)).into();
        vec![sql.with(Hazard::Scan)]
    }

    fn set(&self, attribute: &str, old: Option<&Constraint>, it: It<'_, '_>) -> Option<Vec<Sql>> {
        // The parent's is not valid, and so would be the copy.
        let validates = attribute == "not_valid" && old.is_none() && !self.not_valid;
        validates.then(|| vec![validate(it)])
    }

    fn change(&self, old: &Constraint, attribute: &str, from: It<'_, '_>, to: It<'_, '_>) -> Means {
        let is_key = self.sort == "foreign key";
        match attribute {
            "not_valid" if !self.not_valid && !self.not_enforced => Means::Alter(vec![validate(to)]),
            "deferrable" | "initially_deferred" if is_key => {
                let differing = [
                    ("deferrable", old.deferrable != self.deferrable),
                    ("initially_deferred", old.initially_deferred != self.initially_deferred),
                ];
                let timing = if self.deferrable { timing(self) } else { " not deferrable".to_owned() };
                let sql = format!("{} alter constraint {}{timing}", to.alter(), to.name());
                Means::joint(attribute, &differing, Means::alter(sql))
            }
            // Adding it once more declares it here too.
            "declared_here" if self.declared_here && old.inherited => {
                Means::alter(format!("{} add {}", to.alter(), definition(self, to)))
            }
            "declared_here" if old.inherited && self.inherited => Means::RebuildWithOriginal,
            // Dropped in the parent that the table stays with, it would be dropped here too.
            "inherited" if old.inherited && !old.declared_here && stays_with_parent(from, to) => {
                Means::Rebuild
            }
            // Once declared it stays so, and the parent's would only be merged with it.
            "inherited" if self.inherited && !self.declared_here && stays_with_parent(from, to) => {
                Means::Rebuild
            }
            "inherited" | "declared_here" => Means::Follows,
            "sort" | "columns" | "check" | "exclude" | "references" | "on_delete" | "on_update"
            | "on_delete_columns" | "match_full" | "deferrable" | "initially_deferred" | "not_valid"
            | "not_enforced" | "period" | "no_inherit" => Means::Rebuild,
            _ => UNKNOWN,
        }
    }

    fn drop(&self, it: It<'_, '_>) -> Vec<Sql> {
        let alter = if self.no_inherit && self.sort == "check" { it.alter_only() } else { it.alter() };
        vec![format!("{alter} drop constraint {}", it.name()).into()]
    }
}

fn validate(it: It<'_, '_>) -> Sql {
    let sql: Sql = format!("{} validate constraint {}", it.alter(), it.name()).into();
    sql.with(Hazard::Scan)
}

/// What drops the copies of foreign keys that a detached partition keeps.
pub(crate) const COPIED_KEYS: &str = "copied_keys";

pub(crate) fn drop_constraint(table: It<'_, '_>, name: &str) -> Vec<Sql> {
    vec![format!("{} drop constraint {}", table.alter(), table.quoted(name)).into()]
}

/// Whether the table of a part has one and the same parent before and after.
fn stays_with_parent(from: It<'_, '_>, to: It<'_, '_>) -> bool {
    let parents = |it: It<'_, '_>| -> Vec<catalogue::Address> {
        let table = it.side.whole(it.address());
        table.into_iter().flat_map(|table| it.side.parents(table)).map(|it| it.address.clone()).collect()
    };
    let after = parents(to);
    parents(from).iter().any(|parent| after.contains(parent))
}

/// `constraint c check (…)` and its like.
pub(super) fn definition(body: &Constraint, it: It<'_, '_>) -> String {
    let index = index(it);
    let mut sql = format!("constraint {} ", it.name());
    sql += &match body.sort.as_str() {
        "check" => {
            let check = body.check.as_deref().unwrap_or_default();
            format!("check ({check}){}", if body.no_inherit { " no inherit" } else { "" })
        }
        "exclude" => return sql + body.exclude.as_deref().unwrap_or_default(),
        "foreign key" => foreign_key(body, it),
        sort => {
            let distinct =
                if index.is_some_and(|index| index.nulls_not_distinct) { " nulls not distinct" } else { "" };
            let period = if body.period { " without overlaps" } else { "" };
            format!("{sort}{distinct} ({}{period})", it.names.list(&body.columns.0))
        }
    };
    if let Some(index) = index {
        if !index.include.0.is_empty() {
            sql += &format!(" include ({})", it.names.list(&index.include.0));
        }
        sql += &with(&index.options);
        if let Some(tablespace) = &index.tablespace {
            sql += &format!(" using index tablespace {}", it.quoted(tablespace));
        }
    }
    sql += &timing(body);
    if body.not_enforced {
        sql += " not enforced";
    } else if body.not_valid {
        sql += " not valid";
    }
    sql
}

fn foreign_key(body: &Constraint, it: It<'_, '_>) -> String {
    let list = |columns: &[String]| {
        let mut names: Vec<String> = columns.iter().map(|name| it.quoted(name)).collect();
        if let Some(last) = names.last_mut().filter(|_| body.period) {
            last.insert_str(0, "period ");
        }
        names.join(", ")
    };
    let mut sql = format!("foreign key ({})", list(&body.columns.0));
    if let Some(to) = &body.references {
        sql += &format!(" references {} ({})", it.names.whole(&to.table), list(&to.columns));
    }
    if body.match_full {
        sql += " match full";
    }
    if let Some(action) = &body.on_update {
        sql += &format!(" on update {action}");
    }
    if let Some(action) = &body.on_delete {
        sql += &format!(" on delete {action}");
        if !body.on_delete_columns.0.is_empty() {
            sql += &format!(" ({})", it.names.list(&body.on_delete_columns.0));
        }
    }
    sql
}

fn timing(body: &Constraint) -> String {
    match (body.deferrable, body.initially_deferred) {
        (false, _) => String::new(),
        (true, false) => " deferrable".to_owned(),
        (true, true) => " deferrable initially deferred".to_owned(),
    }
}

/// The index of a primary key, a unique or an exclusion constraint.
fn index<'c>(it: It<'_, 'c>) -> Option<&'c Index> {
    it.side.dependents(it.address()).iter().find_map(|(object, _)| match &object.body {
        Body::Index(index) if it.side.is_part_of(object).is_some_and(|of| of.address == *it.address()) => {
            Some(index)
        }
        _ => None,
    })
}

impl Managed for NotNull {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        let alter = if self.no_inherit { it.alter_only() } else { it.alter() };
        let sql: Sql = format!("{alter} add {}", not_null_definition(self, it)).into();
        vec![sql.with(Hazard::Scan)]
    }

    fn set(&self, attribute: &str, old: Option<&NotNull>, it: It<'_, '_>) -> Option<Vec<Sql>> {
        let validates = attribute == "not_valid" && old.is_none() && !self.not_valid;
        validates.then(|| vec![validate(it)])
    }

    fn change(&self, old: &NotNull, attribute: &str, from: It<'_, '_>, to: It<'_, '_>) -> Means {
        match attribute {
            "not_valid" if old.not_valid => Means::Alter(vec![validate(to)]),
            // The children's would be valid.
            "no_inherit" if !self.no_inherit && self.not_valid => Means::Rebuild,
            "no_inherit" => {
                let how = if self.no_inherit { "no inherit" } else { "inherit" };
                Means::alter(format!("{} alter constraint {} {how}", to.alter(), to.name()))
            }
            "columns" | "not_valid" => Means::Rebuild,
            // As with the constraints above.
            "declared_here" if self.declared_here && old.inherited => {
                Means::alter(format!("{} add {}", to.alter(), not_null_definition(self, to)))
            }
            "declared_here" if old.inherited && self.inherited => Means::RebuildWithOriginal,
            // A parent that no longer passes it on leaves it to its children.
            "inherited" if old.inherited && !old.declared_here && stays_with_parent(from, to) => {
                let original = to.side.same_in_parent(to.object).map(|it| &it.body);
                let left = matches!(original, Some(Body::NotNull(it)) if it.no_inherit);
                if left { Means::Follows } else { Means::Rebuild }
            }
            "inherited" if self.inherited && !self.declared_here && stays_with_parent(from, to) => {
                Means::Rebuild
            }
            "inherited" | "declared_here" => Means::Follows,
            _ => UNKNOWN,
        }
    }

    fn drop(&self, it: It<'_, '_>) -> Vec<Sql> {
        vec![format!("{} drop constraint {}", it.alter(), it.name()).into()]
    }
}

pub(super) fn not_null_definition(body: &NotNull, it: It<'_, '_>) -> String {
    let mut sql = format!("constraint {} not null {}", it.name(), it.names.list(&body.columns.0));
    if body.no_inherit {
        sql += " no inherit";
    }
    if body.not_valid {
        sql += " not valid";
    }
    sql
}
