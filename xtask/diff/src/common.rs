//! What objects of every kind have: an owner, a comment, rights, security labels, extensions that take them with them.

mod public;

use catalogue::{Body, COMMON, Grant, Kind, Object, Options, Rights, Role};

use crate::{
    it::It,
    means::Means,
    side::{Names, literal, words},
    statement::Sql,
};

/// Whether an attribute is one that objects of every kind have.
pub(crate) fn is_common(attribute: &str) -> bool {
    COMMON.contains(&attribute)
}

/// What sets such an attribute of an object that has just been made.
pub(crate) fn set(attribute: &str, it: It<'_, '_>, given: &Rights) -> Vec<Sql> {
    let object = it.object;
    match attribute {
        "owner" if object.owner == Some(Role::Migrator) => Vec::new(),
        "owner" if is_identity(object) => Vec::new(),
        "owner" => owner(it),
        "comment" if object.comment.is_some() => comment(it),
        "rights" if object.rights != *given => change_rights(it, given, &object.rights),
        "security_labels" if !object.labels.0.is_empty() => labels(it, &Options::default()),
        "extensions" if !object.extensions.0.is_empty() => extensions(it, &Options::default()),
        _ => Vec::new(),
    }
}

/// What a change of such an attribute means.
pub(crate) fn change(attribute: &str, from: It<'_, '_>, to: It<'_, '_>) -> Means {
    Means::Alter(match attribute {
        "owner" if is_identity(to.object) => Vec::new(),
        "owner" => owner(to),
        "comment" => comment(to),
        "rights" => change_rights(to, &handed_over(from.object, to.object), &to.object.rights),
        "security_labels" => labels(to, &from.object.labels),
        "extensions" => extensions(to, &from.object.extensions),
        _ => return Means::Refused("there is no statement for it"),
    })
}

/// What grants all rights that an object has beyond the usual ones.
pub(crate) fn grant_again(it: It<'_, '_>) -> Vec<Sql> {
    change_rights(it, &Rights::default(), &it.object.rights)
}

/// What takes back all rights that an object does not usually have.
pub(crate) fn take_back(it: It<'_, '_>) -> Vec<Sql> {
    change_rights(it, &it.object.rights, &Rights::default())
}

fn is_identity(object: &Object) -> bool {
    matches!(&object.body, Body::Sequence(sequence) if sequence.identity)
}

fn owner(it: It<'_, '_>) -> Vec<Sql> {
    let Some(owner) = &it.object.owner else { return Vec::new() };
    vec![format!("{} owner to {}", it.alter(), it.names.role(owner)).into()]
}

fn comment(it: It<'_, '_>) -> Vec<Sql> {
    let text = it.object.comment.as_deref().map_or("null".to_owned(), literal);
    vec![format!("comment on {} is {text}", it.names.reference(it.address())).into()]
}

fn labels(it: It<'_, '_>, old: &Options) -> Vec<Sql> {
    let new = &it.object.labels;
    let parts =
        |label: &String| label.split_once(": ").map(|(one, other)| (one.to_owned(), other.to_owned()));
    let (old, new): (Vec<_>, Vec<_>) =
        (old.0.iter().filter_map(parts).collect(), new.0.iter().filter_map(parts).collect());
    let gone = old.iter().filter(|(provider, _)| !new.iter().any(|(other, _)| other == provider));
    let gone = gone.map(|(provider, _)| (provider, "null".to_owned()));
    let set = new.iter().filter(|it| !old.contains(it)).map(|(provider, label)| (provider, literal(label)));
    let reference = it.names.reference(it.address());
    gone.chain(set)
        .map(|(provider, label)| {
            format!("security label for {} on {reference} is {label}", it.quoted(provider)).into()
        })
        .collect()
}

fn extensions(it: It<'_, '_>, old: &Options) -> Vec<Sql> {
    let new = &it.object.extensions;
    let reference = match it.address().kind {
        Kind::Trigger => it.names.reference(it.address()),
        kind => format!("{} {}", words(kind), it.name()),
    };
    let gone = old.0.iter().filter(|name| !new.0.contains(name)).map(|name| ("no ", name));
    let added = new.0.iter().filter(|name| !old.0.contains(name)).map(|name| ("", name));
    gone.chain(added)
        .map(|(no, name)| format!("alter {reference} {no}depends on extension {name}").into())
        .collect()
}

/// What changes the rights to a column whose table gets another owner, who takes over what the old one was granted. Neither has
/// usual rights to a column by itself.
pub(crate) fn change_rights_of_column(
    from: &Object,
    to: It<'_, '_>,
    table: &Object,
    after: &Object,
) -> Vec<Sql> {
    let (Some(before), Some(owner)) = (&table.owner, &after.owner) else { return Vec::new() };
    let mut rights = Rights::default();
    for grant in &from.rights.0 {
        let role = if grant.role == *before { owner } else { &grant.role };
        let by = grant.by.clone().filter(|by| by != owner);
        let grant = Grant { role: role.clone(), by, ..grant.clone() };
        if !rights.0.contains(&grant) {
            rights.0.push(grant);
        }
    }
    change_rights(to, &rights, &to.object.rights)
}

/// The rights of an object after its owner was changed: the new one has what the old one had as the owner, and what it had.
fn handed_over(from: &Object, to: &Object) -> Rights {
    let (Some(before), Some(after)) = (&from.owner, &to.owner) else { return from.rights.clone() };
    if before == after {
        return from.rights.clone();
    }
    if public::is_public(from) {
        return public::handed_over(&from.rights, before, after);
    }
    let had = |privilege: &str| {
        let own = |it: &&Grant| it.role == *after && !it.revoked && it.privilege == privilege;
        from.rights.0.iter().find(own)
    };
    let mut rights = Rights::default();
    for grant in &from.rights.0 {
        let mut grant = Grant { by: grant.by.clone().filter(|by| by != after), ..grant.clone() };
        if grant.role == *before {
            grant.role = after.clone();
            if !(grant.revoked && had(&grant.privilege).is_some()) {
                rights.0.push(grant);
            }
        } else if grant.role != *after || grant.revoked {
            rights.0.push(grant);
        } else if grant.grantable {
            // What an owner may grant to others without this is another entry.
            rights.0.push(Grant { grantable: false, revoked: true, ..grant.clone() });
            rights.0.push(grant);
        }
    }
    rights
}

/// The grants and revokes that turn rights into others. Both say how they differ from the usual ones.
fn change_rights(it: It<'_, '_>, old: &Rights, new: &Rights) -> Vec<Sql> {
    let gone = old.0.iter().filter(|grant| !new.0.contains(grant)).map(|grant| (grant, grant.revoked));
    let added = new.0.iter().filter(|grant| !old.0.contains(grant)).map(|grant| (grant, !grant.revoked));
    let mut all: Vec<(&Grant, bool)> = gone.chain(added).collect();
    // A revoke takes along what stays granted.
    let is_revoked = |grant: &Grant| {
        let same = |it: &Grant| it.privilege == grant.privilege && it.role == grant.role && it.by == grant.by;
        all.iter().any(|(it, given)| !given && same(it))
    };
    let again = new.0.iter().filter(|grant| !grant.revoked && old.0.contains(grant) && is_revoked(grant));
    let again: Vec<(&Grant, bool)> = again.map(|grant| (grant, true)).collect();
    all.extend(again);
    // A right without the grant option comes after one with it was revoked. What another role granted is revoked before
    // that role's own right, and granted after it.
    let known: Vec<&Grant> = old.0.iter().chain(&new.0).filter(|grant| !grant.revoked).collect();
    all.sort_by_cached_key(|(grant, given)| {
        let hands = hands(grant, &known);
        (*given, if *given { hands } else { known.len() - hands })
    });
    let Some(target) = Target::new(it) else { return Vec::new() };
    all.iter().flat_map(|(grant, given)| target.statement(grant, *given, it.names)).collect()
}

/// Through how many hands a right went before it was granted: none, if the owner granted it.
fn hands(grant: &Grant, known: &[&Grant]) -> usize {
    let (mut hands, mut by) = (0, grant.by.as_ref());
    while let Some(role) = by.filter(|_| hands < known.len()) {
        hands += 1;
        let own = |it: &&&Grant| it.role == *role && it.grantable && it.privilege == grant.privilege;
        by = known.iter().find(own).and_then(|it| it.by.as_ref());
    }
    hands
}

/// What rights are to, in the words of `grant`.
struct Target {
    /// `alter default privileges for role r in schema s`, and a blank.
    before: String,
    /// The columns in parentheses.
    columns: String,
    /// `table t`.
    on: String,
}

impl Target {
    fn new(it: It<'_, '_>) -> Option<Target> {
        let (address, name) = (it.address(), it.name());
        let plain = |on: String| Some(Target { before: String::new(), columns: String::new(), on });
        match &it.object.body {
            Body::Column(_) => Some(Target {
                columns: format!(" ({name})"),
                ..plain(format!("table {}", it.names.whole(address)))?
            }),
            Body::Table(_) | Body::ForeignTable(_) | Body::View(_) | Body::MaterializedView(_) => {
                plain(format!("table {name}"))
            }
            Body::Aggregate(_) => plain(format!("function {}{}", it.names.whole(address), address.part)),
            Body::Domain(_) => plain(format!("type {name}")),
            Body::Server(_) => plain(format!("foreign server {name}")),
            Body::DefaultPrivileges(of) => {
                let schema = match address.schema.as_str() {
                    "" => String::new(),
                    schema => format!(" in schema {}", it.quoted(schema)),
                };
                let role = it.names.role(&of.role.0);
                let before = format!("alter default privileges for role {role}{schema} ");
                Some(Target { before, ..plain(of.objects.0.clone())? })
            }
            Body::Foreign(_) => foreign(&address.name),
            Body::Database(_) => None,
            _ => plain(format!("{} {name}", words(address.kind))),
        }
    }

    fn statement(&self, grant: &Grant, given: bool, names: Names<'_>) -> Vec<Sql> {
        let Target { before, columns, on } = self;
        let (right, role) = (grant.privilege.to_lowercase(), names.role(&grant.role));
        let sql = if given {
            let option = if grant.grantable { " with grant option" } else { "" };
            format!("{before}grant {right}{columns} on {on} to {role}{option}")
        } else {
            format!("{before}revoke {right}{columns} on {on} from {role}")
        };
        match &grant.by {
            None => vec![sql.into()],
            Some(by) => {
                let by = format!("set session authorization {}", names.role(by));
                vec![by.into(), sql.into(), "reset session authorization".into()]
            }
        }
    }
}

/// `table s.t` of `table column s.t.c`.
pub(crate) fn table_of_foreign(identity: &str) -> Option<String> {
    let (kind, name) = identity.split_once(" column ")?;
    let (table, _) = name.rsplit_once('.')?;
    matches!(kind, "table" | "view").then(|| format!("{kind} {table}"))
}

/// An object of the server or of an extension: its kind and its name as the server prints them.
fn foreign(identity: &str) -> Option<Target> {
    let (kind, name) = [
        "table column",
        "view column",
        "materialized view",
        "foreign table",
        "foreign-data wrapper",
        "table",
        "view",
        "sequence",
        "function",
        "procedure",
        "aggregate",
        "type",
        "schema",
        "language",
        "server",
    ]
    .into_iter()
    .find_map(|kind| Some((kind, identity.strip_prefix(kind)?.strip_prefix(' ')?)))?;
    let (columns, on) = match kind {
        "table column" | "view column" => {
            let (table, column) = name.rsplit_once('.')?;
            (format!(" ({column})"), format!("table {table}"))
        }
        "materialized view" | "foreign table" | "view" => (String::new(), format!("table {name}")),
        "foreign-data wrapper" => (String::new(), format!("foreign data wrapper {name}")),
        "server" => (String::new(), format!("foreign server {name}")),
        "aggregate" => (String::new(), format!("function {name}")),
        kind => (String::new(), format!("{kind} {name}")),
    };
    Some(Target { before: String::new(), columns, on })
}

/// The rights that an object has when it has just been made: the usual ones, because what the role that migrates usually grants is
/// set aside meanwhile.
pub(crate) fn given_at_creation(object: &Object) -> Rights {
    match &object.owner {
        // The server gives it more rights than any other schema, but only when it makes the database.
        Some(owner) if public::is_public(object) => public::rights_when_made(owner),
        _ => Rights::default(),
    }
}
