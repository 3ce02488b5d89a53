//! Options as clauses: of storage, and of foreign-data wrappers.

use std::collections::HashSet;

use catalogue::Options;

use crate::{side::literal, statement::Sql};

/// Options in parentheses after `with`, with a blank before; nothing if there are none.
pub(crate) fn with(options: &Options) -> String {
    if options.0.is_empty() {
        return String::new();
    }
    let options: Vec<String> = options.0.iter().map(|it| storage_option(it)).collect();
    format!(" with ({})", options.join(", "))
}

/// An option `name=value` of storage as SQL.
pub(crate) fn storage_option(option: &str) -> String {
    match option.split_once('=') {
        Some((name, value)) => format!("{name} = {}", literal(value)),
        None => option.to_owned(),
    }
}

/// `set (…)` and `reset (…)` for what differs in the options of storage, after an `alter`.
pub(crate) fn set_options(alter: &str, old: Option<&Options>, new: &Options) -> Vec<Sql> {
    let (old, new) = (old.map(|it| it.0.as_slice()).unwrap_or_default(), new.0.as_slice());
    let name = |option: &String| option.split_once('=').map_or(option.clone(), |(name, _)| name.to_owned());
    let names: HashSet<String> = new.iter().map(name).collect();
    let gone: Vec<String> = old.iter().map(name).filter(|it| !names.contains(it)).collect();
    let kept = old.iter().filter(|it| new.contains(it));
    let changed = || new.iter().filter(|it| !old.contains(it));
    // What is set comes last; `pg_dump` shows the order.
    let in_order = kept.chain(changed()).eq(new);
    let set: Vec<String> = match changed().next() {
        Some(_) if !in_order => new.iter().map(|it| storage_option(it)).collect(),
        _ => changed().map(|it| storage_option(it)).collect(),
    };
    let mut sql = Vec::new();
    if !gone.is_empty() {
        sql.push(format!("{alter} reset ({})", gone.join(", ")).into());
    }
    if !set.is_empty() {
        sql.push(format!("{alter} set ({})", set.join(", ")).into());
    }
    sql
}

/// Options of a foreign-data wrapper, with a blank before; nothing if there are none.
pub(crate) fn foreign_options(options: &Options) -> String {
    if options.0.is_empty() {
        return String::new();
    }
    let options: Vec<String> = options.0.iter().filter_map(|it| foreign_option(it)).collect();
    format!(" options ({})", options.join(", "))
}

fn foreign_option(option: &str) -> Option<String> {
    let (name, value) = option.split_once('=')?;
    Some(format!("\"{}\" {}", name.replace('"', "\"\""), literal(value)))
}

/// `options (add …, set …, drop …)` for what differs.
pub(crate) fn change_foreign_options(alter: &str, column: &str, old: &Options, new: &Options) -> Vec<Sql> {
    let name = |option: &String| option.split_once('=').map_or(option.clone(), |(name, _)| name.to_owned());
    let has = |options: &Options, option: &String| options.0.iter().any(|it| name(it) == name(option));
    let gone = old.0.iter().filter(|it| !has(new, it));
    let gone = gone.map(|it| format!("drop \"{}\"", name(it).replace('"', "\"\"")));
    let set = new.0.iter().filter(|it| !old.0.contains(it)).filter_map(|it| {
        let verb = if has(old, it) { "set" } else { "add" };
        Some(format!("{verb} {}", foreign_option(it)?))
    });
    let changes: Vec<String> = gone.chain(set).collect();
    if changes.is_empty() {
        return Vec::new();
    }
    vec![format!("{alter}{column} options ({})", changes.join(", ")).into()]
}
