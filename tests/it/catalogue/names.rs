//! Names and texts that are hard to read back.

use std::collections::BTreeSet;

use catalogue::{Address, Kind};

use super::{connect, differences, read, run};

/// Whatever could be taken for more or less than a name.
fn odd_names() -> Vec<String> {
    let mut names: Vec<String> = [
        "a\"b",
        "\"",
        "a\nb",
        "a\r\nb",
        "\ta",
        " a ",
        " ",
        "é ü 漢字",
        "🐘",
        "a\\b",
        "\\",
        "\\N",
        "\"; drop table t; --",
        "'; select 1; --",
        "a,b",
        ", ",
        "{a}",
        "{",
        "}",
        "(a)",
        "(",
        ")",
        "NULL",
        "null",
        "a.b",
        ".",
        "A",
        "'",
        "$$",
        "$1",
        "%s",
        "a:b",
        ": ",
        ";",
        "`",
        "/*",
        "--",
        "select",
        "user",
        "1",
        "-1",
        "=",
        "a=b",
        "…",
        "public",
    ]
    .map(str::to_owned)
    .to_vec();
    names.push("x".repeat(63));
    // 63 bytes too.
    names.push("é".repeat(31) + "y");
    names
}

/// Every sort of object with one name, in a schema with that name.
fn everything_named(name: &str) -> String {
    let (n, text) = (format!("\"{}\"", name.replace('"', "\"\"")), format!("'{}'", name.replace('\'', "''")));
    let schema = if name == "public" { String::new() } else { format!("create schema {n};") };
    format!(
        "{schema} set search_path = {n}; set check_function_bodies = off;
             create type {n} as enum ({text}, 'second');
             create table {n}.t ({n} text default {text}, other {n}.{n} default {text},
                 constraint {n} check ({n} <> {text}));
             create index {n} on {n}.t ({n}) where {n} > {text};
             create function {n}.{n}({n} text default {text}) returns text language sql as {text};
             create sequence {n}.s owned by {n}.t.{n};
             create view {n}.v as select {n} from {n}.t;
             create rule {n} as on update to {n}.t where new.{n} = {text} do instead nothing;
             create policy {n} on {n}.t using ({n} = {text});
             create trigger {n} before update of {n} on {n}.t for each row when (new.{n} = {text})
                 execute function suppress_redundant_updates_trigger({text});
             create table {n}.parent ({n} text) partition by list ({n});
             create table {n}.child partition of {n}.parent for values in ({text});
             create domain {n}.d as text constraint {n} check (value <> {text});
             comment on table {n}.t is {text};
             comment on column {n}.t.{n} is {text};"
    )
}

#[test]
fn odd_names_and_texts_are_read_as_they_were_written() {
    tests::empty().run(async |db| {
        let mut conn = connect(db).await;
        for name in odd_names() {
            run(&mut conn, &everything_named(&name))
                .await
                .unwrap_or_else(|error| panic!("{name:?}: {error}"));
        }
        let after = read(&mut conn).await;
        for name in odd_names() {
            let at = |kind, whole: &str, part: &str| Address {
                kind,
                schema: name.clone(),
                name: whole.to_owned(),
                part: part.to_owned(),
            };
            let table = at(Kind::Table, "t", "");
            let found = after.get(&table).unwrap_or_else(|| panic!("no {table}"));
            assert_eq!(found.comment.as_deref(), Some(&*name));
            let column = after.get(&at(Kind::Column, "t", &name)).unwrap();
            assert_eq!(column.comment.as_deref(), Some(&*name));
            for address in [
                at(Kind::Enum, &name, ""),
                at(Kind::Index, &name, ""),
                at(Kind::Function, &name, "(text)"),
                at(Kind::Constraint, "t", &name),
                at(Kind::Rule, "t", &name),
                at(Kind::Policy, "t", &name),
                at(Kind::Trigger, "t", &name),
                at(Kind::DomainConstraint, "d", &name),
            ] {
                assert!(after.get(&address).is_some(), "no {address}");
            }
            let catalogue::Body::Enum(labels) = &after.get(&at(Kind::Enum, &name, "")).unwrap().body else {
                panic!("{name:?} is no enum")
            };
            assert_eq!(labels.labels[0], name);
        }
        // No name or value breaks a line in two, and no two lines are alike.
        let text = after.text(catalogue::Scope::Exact);
        let lines: BTreeSet<&str> = text.lines().collect();
        assert_eq!(lines.len(), text.lines().count());
        let kinds: BTreeSet<&str> = catalogue::Kind::ALL.iter().map(|kind| kind.words()).collect();
        assert!(lines.iter().all(|line| kinds.iter().any(|kind| line.starts_with(kind))), "{text}");
        assert_eq!(differences(&after, &after), [] as [&str; 0]);
        Ok(())
    });
}

#[test]
fn a_change_of_one_odd_name_or_text_is_found_and_named() {
    tests::empty().run(async |db| {
        let mut conn = connect(db).await;
        for name in odd_names().iter().filter(|name| *name != "public") {
            let n = format!("\"{}\"", name.replace('"', "\"\""));
            run(&mut conn, &everything_named(name)).await?;
            let before = read(&mut conn).await;
            let change = format!(
                "comment on table {n}.t is 'other'; alter table {n}.t rename constraint {n} to other;"
            );
            run(&mut conn, &change).await?;
            let found = differences(&before, &read(&mut conn).await);
            let table = Address {
                kind: Kind::Table,
                schema: name.clone(),
                name: "t".to_owned(),
                part: String::new(),
            };
            let constraint = Address { kind: Kind::Constraint, part: name.clone(), ..table.clone() };
            let other = Address { part: "other".to_owned(), ..constraint.clone() };
            let expected =
                [format!("missing {constraint}"), format!("{table}: comment"), format!("unexpected {other}")];
            let mut expected = expected.to_vec();
            expected.sort();
            assert_eq!(found, expected);
            run(&mut conn, &format!("set search_path = public; drop schema {n} cascade;")).await?;
        }
        Ok(())
    });
}

#[test]
fn roles_with_odd_names_are_read_as_they_were_written() {
    tests::empty().run(async |db| {
        let mut conn = connect(db).await;
        run(&mut conn, "create table t (); create policy p on t;").await?;
        for name in odd_names() {
            // Roles are of the whole server, so each test has its own.
            let short: String = name.chars().take(20).collect();
            let role = format!("{short} {}", &db.name()[db.name().len() - 8..]);
            let r = format!("\"{}\"", role.replace('"', "\"\""));
            let grant = format!("create role {r}; grant select on t to {r}; alter policy p on t to {r};");
            run(&mut conn, &grant).await?;
            let after = read(&mut conn).await;
            let table = after.of_kind(Kind::Table).next().unwrap();
            assert_eq!(table.rights.0[0].role, catalogue::Role::Named(role.clone()));
            let catalogue::Body::Policy(policy) = &after.of_kind(Kind::Policy).next().unwrap().body else {
                panic!("no policy")
            };
            assert_eq!(policy.roles.0, [catalogue::Role::Named(role)]);
            let gone = format!("alter policy p on t to public; revoke all on t from {r}; drop role {r};");
            run(&mut conn, &gone).await?;
        }
        Ok(())
    });
}
