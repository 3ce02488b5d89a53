//! How two catalogues differ, object by object and attribute by attribute.

use std::{cmp::Ordering, collections::BTreeSet};

use crate::{
    address::Address,
    attribute::{Scope, Value},
    kind::Kind,
    object::{Catalogue, Object},
};

/// An object that is not the same in two catalogues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its identity.
    pub address: Address,
    /// What about it is not the same.
    pub change: Change,
}

/// What is not the same about an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Only the expected catalogue has it.
    Missing,
    /// Only the other catalogue has it.
    Unexpected,
    /// Both have it, with different values of an attribute.
    Differs {
        /// The attribute.
        attribute: &'static str,
        /// The expected value.
        expected: Value,
        /// The other value.
        found: Value,
        /// Whether it makes no difference to the schema: the order of columns, the version of an extension.
        note: bool,
    },
}

impl Difference {
    /// Whether it only is to be noted.
    pub fn is_note(&self) -> bool {
        matches!(self.change, Change::Differs { note: true, .. })
    }
}

/// Everything that is not the same in two catalogues: missing objects, then unexpected ones, then those that differ.
///
/// Catalogues of different major versions are compared by what both can say, as in [`Scope::Portable`].
pub fn differences(expected: &Catalogue, found: &Catalogue) -> Vec<Difference> {
    let scope = if expected.major() == found.major() { Scope::Exact } else { Scope::Portable };
    let compared = |object: &&Object| {
        scope == Scope::Exact || !matches!(object.address.kind, Kind::NotNull | Kind::DomainNotNull)
    };
    let (mut missing, mut unexpected, mut differs) = (Vec::new(), Vec::new(), Vec::new());
    // The relations whose columns may stand in another order.
    let mut changed = BTreeSet::new();
    let (mut wanted, mut real) =
        (expected.objects().filter(compared).peekable(), found.objects().filter(compared).peekable());
    // Both are sorted by address.
    loop {
        let order = match (wanted.peek(), real.peek()) {
            (Some(one), Some(other)) => one.address.cmp(&other.address),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => break,
        };
        let one = if order == Ordering::Greater { None } else { wanted.next() };
        let other = if order == Ordering::Less { None } else { real.next() };
        if let (Some(one), Some(other)) = (one, other)
            && one.same_as(other)
        {
            continue;
        }
        let Some(Address { kind, schema, name, .. }) = one.or(other).map(|object| &object.address) else {
            continue;
        };
        if *kind == Kind::Column {
            changed.insert((schema.as_str(), name.as_str()));
        }
        match (one, other) {
            (Some(one), Some(other)) => compare(one, other, scope, &mut differs),
            (Some(one), None) => {
                missing.push(Difference { address: one.address.clone(), change: Change::Missing });
            }
            (None, Some(other)) => {
                unexpected.push(Difference { address: other.address.clone(), change: Change::Unexpected });
            }
            (None, None) => {}
        }
    }
    differs.extend(orders(expected, found, &changed));
    missing.into_iter().chain(unexpected).chain(differs).collect()
}

fn compare(object: &Object, other: &Object, scope: Scope, differs: &mut Vec<Difference>) {
    for (scope, note) in [(scope, false), (Scope::Noted, true)] {
        let (wanted, real) = (object.attributes(scope), other.attributes(scope));
        let names: BTreeSet<&'static str> = wanted.iter().chain(&real).map(|(name, _)| *name).collect();
        let value = |of: &[(&'static str, Value)], name| {
            of.iter().find(|(it, _)| *it == name).map_or(Value::Absent, |(_, value)| value.clone())
        };
        for attribute in names {
            let (expected, found) = (value(&wanted, attribute), value(&real, attribute));
            // The number of a column has gaps; the order of the columns is compared as a whole.
            if expected != found && attribute != "position" {
                let change = Change::Differs { attribute, expected, found, note };
                differs.push(Difference { address: object.address.clone(), change });
            }
        }
    }
}

/// The relations among these whose common columns stand in another order.
fn orders<'c>(
    expected: &'c Catalogue,
    found: &'c Catalogue,
    changed: &'c BTreeSet<(&str, &str)>,
) -> impl Iterator<Item = Difference> + 'c {
    let relations = expected.objects().take_while(|it| it.address.kind < Kind::Column);
    let relations = relations.filter(|it| {
        let Address { schema, name, .. } = &it.address;
        changed.contains(&(schema.as_str(), name.as_str()))
            && expected.parts(Kind::Column, &it.address).next().is_some()
    });
    relations.filter_map(|relation| {
        let common = |one: &Catalogue, other: &Catalogue| -> Vec<String> {
            let columns = one.columns(&relation.address).into_iter();
            columns.filter(|it| other.get(&it.address).is_some()).map(|it| it.address.part.clone()).collect()
        };
        let (wanted, real) = (common(expected, found), common(found, expected));
        (wanted != real).then(|| Difference {
            address: relation.address.clone(),
            change: Change::Differs {
                attribute: "column_order",
                expected: Value::List(wanted),
                found: Value::List(real),
                note: true,
            },
        })
    })
}
