//! Sequences.

use catalogue::{Body, Kind, Object, Sequence};

use crate::{
    it::It,
    managed::{Managed, UNKNOWN},
    means::{Facet, Means},
    side::Side,
    statement::{Hazard, Sql},
};

/// The facet of a sequence that is the column which it goes away with.
pub(crate) const OWNED: &str = "owned";

impl Managed for Sequence {
    fn create(&self, it: It<'_, '_>) -> Vec<Sql> {
        let unlogged = if self.unlogged { "unlogged " } else { "" };
        vec![format!("create {unlogged}sequence {}{}", it.name(), options(self)).into()]
    }

    fn set(&self, attribute: &str, old: Option<&Sequence>, it: It<'_, '_>) -> Option<Vec<Sql>> {
        // A sequence of an identity is made as logged as its table.
        let differs = || is_logged_otherwise_than_its_table(it.object, it.side);
        let sets = attribute == "unlogged" && (old.is_some() || differs());
        sets.then(|| set_logged(it))
    }

    fn change(&self, old: &Sequence, attribute: &str, _: It<'_, '_>, to: It<'_, '_>) -> Means {
        let clauses = [
            ("data_type", old.data_type != self.data_type, format!(" as {}", self.data_type)),
            ("start", old.start != self.start, format!(" start with {}", self.start)),
            ("increment", old.increment != self.increment, format!(" increment by {}", self.increment)),
            ("minimum", old.minimum != self.minimum, format!(" minvalue {}", self.minimum)),
            ("maximum", old.maximum != self.maximum, format!(" maxvalue {}", self.maximum)),
            ("cache", old.cache != self.cache, format!(" cache {}", self.cache)),
            ("cycle", old.cycle != self.cycle, (if self.cycle { " cycle" } else { " no cycle" }).to_owned()),
        ];
        match attribute {
            "owned_by" => Means::Facet(OWNED),
            "identity" => Means::Rebuild,
            _ if clauses.iter().any(|(name, ..)| *name == attribute) => {
                let differing = clauses.each_ref().map(|(name, differs, _)| (*name, *differs));
                let clauses = clauses.iter().filter(|(_, differs, _)| *differs);
                let clauses: String = clauses.map(|(_, _, clause)| clause.as_str()).collect();
                let alter = to.alter() + &clauses;
                // Where the new bounds exclude the old ones, it can't go on.
                let goes_on = (self.minimum..=self.maximum).contains(&old.start);
                let sql: Sql = if goes_on {
                    alter.into()
                } else {
                    Sql::from(alter + " restart").losing(format!("the counter of sequence {}", to.name()))
                };
                Means::joint(attribute, &differing, Means::alter(sql))
            }
            _ => UNKNOWN,
        }
    }

    fn facets(&self, it: It<'_, '_>) -> Vec<Facet> {
        let Some(column) = self.owned_by.as_ref().filter(|_| !self.identity) else { return Vec::new() };
        let owner = format!("{}.{}", it.names.whole(&column.table), it.names.list(&column.columns));
        vec![Facet {
            name: OWNED,
            set: vec![format!("{} owned by {owner}", it.alter()).into()],
            unset: Some(vec![format!("{} owned by none", it.alter()).into()]),
            inline: false,
            // The owner may have to change between the columns.
            replaces: false,
            takes: |need| need.on.kind == Kind::Column,
            completes: false,
        }]
    }

    fn drop(&self, it: It<'_, '_>) -> Vec<Sql> {
        let sql: Sql = format!("drop sequence {}", it.name()).into();
        vec![sql.losing(format!("the counter of sequence {}", it.name()))]
    }
}

/// Whether the sequence of an identity survives a crash and its table does not, or the other way round.
pub(crate) fn is_logged_otherwise_than_its_table(sequence: &Object, side: &Side<'_>) -> bool {
    let column = side.is_part_of(sequence).filter(|it| it.address.kind == Kind::Column);
    let table = column.and_then(|column| side.whole(&column.address)).map(|table| &table.body);
    match (&sequence.body, table) {
        (Body::Sequence(body), Some(Body::Table(table))) => body.unlogged != table.unlogged,
        _ => false,
    }
}

/// Has a sequence survive a crash or not.
pub(crate) fn set_logged(it: It<'_, '_>) -> Vec<Sql> {
    let unlogged = matches!(&it.object.body, Body::Sequence(body) if body.unlogged);
    let sql: Sql = format!("{} set {}", it.alter(), if unlogged { "unlogged" } else { "logged" }).into();
    vec![sql.with(Hazard::Rewrite)]
}

/// The options of a sequence that are not as usual, each with a blank before.
pub(super) fn options(it: &Sequence) -> String {
    let (smallest, largest) = match it.data_type.as_str() {
        "smallint" => (i64::from(i16::MIN), i64::from(i16::MAX)),
        "integer" => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    };
    let (minimum, maximum) = if it.increment > 0 { (1, largest) } else { (smallest, -1) };
    let first = if it.increment > 0 { it.minimum } else { it.maximum };
    let mut options = String::new();
    // The type of an identity is its column's.
    if it.data_type != "bigint" && !it.identity {
        options += &format!(" as {}", it.data_type);
    }
    for (name, value, usual) in [
        ("start with", it.start, first),
        ("increment by", it.increment, 1),
        ("minvalue", it.minimum, minimum),
        ("maxvalue", it.maximum, maximum),
        ("cache", it.cache, 1),
    ] {
        if value != usual {
            options += &format!(" {name} {value}");
        }
    }
    if it.cycle {
        options += " cycle";
    }
    options
}
