//! `graph` draws the migrations, `erd` draws the tables, and both report a committed picture that is out of date.

use std::{collections::BTreeSet, fs};

use serde_json::Value;
use tests::TestDatabase;

use crate::checkout::{Checkout, outcome};

const NOWHERE: &str = "postgres://nobody@127.0.0.1:1/none";

/// A manifest of two apps, one of which depends on the other.
const MANIFEST: &str = "[postgres]\nversion = 15\ndatabase = \"app\"\n\n\
    [[app]]\nname = \"people\"\ndepends-on = []\ntables = [\"people\"]\n\n\
    [[app]]\nname = \"orders\"\ndepends-on = [\"people\"]\ntables = [\"orders\", \"lines\"]\n";

fn sqlx_toml(app: &str) -> String {
    format!("[migrate]\ncreate-schemas = [\"migrations\"]\ntable-name = \"migrations.{app}\"\n")
}

/// A small project whose tables have everything that a picture might get wrong.
fn small_project() -> Checkout {
    let checkout = Checkout::with_files(MANIFEST, &[]);
    for app in ["people", "orders"] {
        checkout.write(&format!("{app}/sqlx.toml"), &sqlx_toml(app));
    }
    let people = "create table people (id int primary key, boss int references people, \
                  \"full <name>\" character varying(20) not null unique, paid numeric(10,2)[]);";
    checkout.migration("people/0001_initial", people, "drop table people;");
    let orders = "-- depends-on: people/0001_initial\n\
                  create table orders (year int, number int, person int not null references people, primary key (year, number));\n\
                  create table lines (year int, number int, at timestamp with time zone,\n\
                  foreign key (year, number) references orders (year, number));";
    checkout.migration("orders/0001_initial", orders, "drop table lines; drop table orders;");
    checkout.migration(
        "orders/0002_more",
        "alter table lines add column note text;",
        "alter table lines drop column note;",
    );
    checkout
}

fn json(checkout: &Checkout, db: &TestDatabase, verb: &str) -> Value {
    let printed = checkout.xtask(db, &[verb, "--format", "json"]);
    serde_json::from_str(&printed.expect(0, &[]).stdout).unwrap()
}

#[test]
fn graph_draws_every_format_without_a_server() {
    let checkout = small_project();
    let graph = |format: &str| {
        outcome(&checkout.command(NOWHERE, &["graph", "--format", format])).expect(0, &[]).stdout.clone()
    };
    assert_eq!(
        graph("text"),
        "●    people/0001_initial\n└─●  orders/0001_initial  after people/0001_initial\n  ●  orders/0002_more\n\n\
         3 migrations of 2 apps, in the order in which they run\n"
    );
    let mermaid = graph("mermaid");
    assert!(mermaid.contains("  people_0001 -.-> orders_0001\n  orders_0001 --> orders_0002\n"), "{mermaid}");
    let json: Value = serde_json::from_str(&graph("json")).unwrap();
    let second = serde_json::json!({ "migration": "orders/0001_initial", "app": "orders", "previous": null,
                                     "depends_on": ["people/0001_initial"] });
    assert_eq!(json["migrations"][1], second);
    assert_eq!(json["migrations"][2]["previous"], "orders/0001_initial");
    assert_eq!(graph("svg").matches("<circle").count(), 3);
}

#[test]
fn graph_draws_only_the_ends_of_a_long_run_that_nothing_else_hangs_on() {
    let checkout = small_project();
    for n in 3..=300 {
        checkout.migration(&format!("orders/{n:04}_more"), "select 1;", "select 1;");
    }
    let graph = |format: &str| {
        outcome(&checkout.command(NOWHERE, &["graph", "--format", format])).expect(0, &[]).stdout.clone()
    };
    assert_eq!(
        graph("text"),
        "●    people/0001_initial\n└─●  orders/0001_initial             after people/0001_initial\n  ●  orders/0002_more\n  \
         ●  orders/0003_more, and 296 more\n  ●  orders/0300_more\n\n301 migrations of 2 apps, in the order in which they run\n"
    );
    let mermaid = graph("mermaid");
    assert!(mermaid.contains("  orders_0002 --> orders_0003\n  orders_0003 --> orders_0300\n"), "{mermaid}");
    assert_eq!(graph("svg").matches("<circle").count(), 5);
    let json: Value = serde_json::from_str(&graph("json")).unwrap();
    assert_eq!(json["migrations"].as_array().unwrap().len(), 301);
}

#[test]
fn erd_draws_every_format() {
    tests::empty().run(async |db| {
        let checkout = small_project();
        let erd = |format: &str| checkout.xtask(db, &["erd", "--format", format]).expect(0, &[]).stdout.clone();
        assert_eq!(
            erd("text"),
            "people\n  people  4 columns  boss → people\norders\n  lines   4 columns  year, number → orders\n  \
             orders  3 columns  person → people\n\n3 tables, 3 foreign keys\n"
        );
        let mermaid = erd("mermaid");
        for line in [
            "    integer id PK",
            "    integer boss FK",
            "    varchar(20) full__name_ UK",
            "    numeric(10_2)[] paid",
            "    timestamptz at",
            "  \"people\" }o--o| \"people\" : \"boss\"",
            "  \"orders\" }o--|| \"people\" : \"person\"",
            "  \"lines\" }o--o| \"orders\" : \"year, number\"",
        ] {
            assert!(mermaid.lines().any(|it| it == line), "{line} is not in\n{mermaid}");
        }
        let svg = erd("svg");
        assert!(svg.contains("full &lt;name&gt;") && svg.contains("<title>orders.person → people.id</title>"), "{svg}");
        Ok(())
    });
}

/// Whether Mermaid reads this as the name of a table, of a type or of a column.
fn is_word(text: &str) -> bool {
    let first = |c: char| c.is_alphabetic() || c == '_';
    text.starts_with(first) && text.chars().all(|c| c.is_alphanumeric() || "_-()[]".contains(c))
}

/// Whether Mermaid reads this as a name in quotes.
fn is_quoted(text: &str) -> bool {
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inner.is_some_and(|inner| !inner.is_empty() && !inner.contains(['"', '%', '\\', '\n']))
}

#[test]
fn erd_draws_names_that_need_quotes_as_mermaid_reads_them() {
    tests::empty().run(async |db| {
        let manifest = "[postgres]\nversion = 15\ndatabase = \"app\"\n\n[[app]]\nname = \"odd\"\ndepends-on = []\n\
                        tables = [\"2fa\", \"Größe\", '50% \"off\" \\']\n";
        let checkout = Checkout::with_files(manifest, &[("odd/sqlx.toml", &sqlx_toml("odd"))]);
        let up = r#"create table "2fa" ("1st" int primary key); create table "Größe" ("it's ""x""" int references "2fa");
                    create table "50% ""off"" \" ("a\b" int references "2fa", "ü" text);"#;
        checkout.migration("odd/0001_initial", up, "drop schema public cascade; create schema public;");
        let erd = |format: &str| checkout.xtask(db, &["erd", "--format", format]).expect(0, &[]).stdout.clone();
        let mermaid = erd("mermaid");
        let (mut tables, mut columns, mut keys) = (0, 0, 0);
        for line in mermaid.lines().skip(2).filter(|line| !line.starts_with("  %%") && *line != "  }") {
            if let Some((ends, label)) = line.split_once(" : ") {
                let (from, to) = ends.trim().split_once(" }o--o| ").unwrap();
                assert!(is_quoted(from) && is_quoted(to) && is_quoted(label), "{line}");
                keys += 1;
            } else if let Some(table) = line.strip_suffix(" {") {
                assert!(is_quoted(table.trim()), "{line}");
                tables += 1;
            } else {
                assert!(line.split_whitespace().all(is_word), "{line}");
                columns += 1;
            }
        }
        assert_eq!((tables, columns, keys), (3, 4, 2), "{mermaid}");
        // The other formats show each name with all its characters.
        let drawn = json(&checkout, db, "erd");
        let names: Vec<&str> =
            drawn["tables"].as_array().unwrap().iter().map(|table| table["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["2fa", r#"50% "off" \"#, "Größe"]);
        let svg = erd("svg");
        assert!(svg.contains("Größe") && svg.contains(r#"50% &quot;off&quot; \"#), "{svg}");
        let text = erd("text");
        assert!(text.contains("\n  Größe         1 column "), "{text}");
        Ok(())
    });
}

#[test]
fn erd_draws_every_column_and_foreign_key() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let drawn = json(&checkout, db, "erd");
        let (mut columns, mut keys) = (BTreeSet::new(), BTreeSet::new());
        for table in drawn["tables"].as_array().unwrap() {
            let name = table["name"].as_str().unwrap();
            for column in table["columns"].as_array().unwrap() {
                columns.insert(format!("{name}.{}", column["name"].as_str().unwrap()));
            }
            for key in table["foreign_keys"].as_array().unwrap() {
                keys.insert(format!("{name}.{}", key["name"].as_str().unwrap()));
            }
        }
        let existing = "select table_name || '.' || column_name from information_schema.columns
                     join information_schema.tables using (table_schema, table_name)
                     where table_schema = 'public' and table_type = 'BASE TABLE'";
        let existing: Vec<String> = sqlx::query_scalar(existing).fetch_all(db.pool()).await?;
        assert!(existing.len() > 40);
        assert_eq!(columns, BTreeSet::from_iter(existing));
        let existing = "select table_name || '.' || constraint_name from information_schema.table_constraints
                     where constraint_type = 'FOREIGN KEY' and table_schema = 'public'";
        let existing: Vec<String> = sqlx::query_scalar(existing).fetch_all(db.pool()).await?;
        assert_eq!(existing.len(), 10);
        assert_eq!(keys, BTreeSet::from_iter(existing));
        Ok(())
    });
}

#[test]
fn check_reports_a_stale_or_missing_picture_and_write_draws_it_again() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        for verb in ["graph", "erd"] {
            checkout.xtask(db, &[verb, "--write"]).expect(0, &["written"]);
        }
        let up = "create table notes (id int, loan_id uuid references loans);";
        checkout.migration("loans/0002_notes", up, "drop table notes;");
        for verb in ["graph", "erd"] {
            let (svg, mermaid) =
                (format!("migrations/docs/{verb}.svg"), format!("migrations/docs/{verb}.mmd"));
            fs::remove_file(checkout.root().join(&mermaid))?;
            let before = fs::read(checkout.root().join(&svg))?;
            checkout.xtask(db, &[verb, "--check"]).expect(
                3,
                &[
                    &format!("stale     {svg}\nmissing   {mermaid}\n"),
                    &format!("draw it again: cargo xtask {verb} --write"),
                ],
            );
            assert_eq!(before, fs::read(checkout.root().join(&svg))?);
            assert!(!checkout.root().join(&mermaid).exists());
            let written = checkout.xtask(db, &[verb, "--write", "--format", "json"]);
            let written: Value = serde_json::from_str(&written.expect(0, &[]).stdout)?;
            assert_eq!(written["files"][0], serde_json::json!({ "file": svg, "state": "written" }));
            checkout.xtask(db, &[verb, "--check"]).expect(0, &["kept"]);
        }
        Ok(())
    });
}

#[test]
fn both_refuse_a_circle_like_every_verb() {
    let checkout = small_project();
    checkout.migration("people/0002_back", "-- depends-on: orders/0001_initial\nselect 1;", "select 1;");
    checkout.replace("orders/0001_initial.up.sql", "people/0001_initial", "people/0002_back");
    for verb in ["graph", "erd"] {
        outcome(&checkout.command(NOWHERE, &[verb]))
            .expect(1, &["the migrations wait for each other in a circle"]);
    }
}

#[test]
fn both_draw_an_empty_project() {
    tests::empty().run(async |db| {
        let checkout = Checkout::with_files("[postgres]\nversion = 15\ndatabase = \"app\"\n", &[]);
        checkout.xtask(db, &["graph"]).expect(0, &["0 migrations of 0 apps"]);
        checkout.xtask(db, &["erd"]).expect(0, &["0 tables, 0 foreign keys"]);
        for verb in ["graph", "erd"] {
            checkout.xtask(db, &[verb, "--format", "svg"]).expect(0, &["</svg>"]);
        }
        Ok(())
    });
}
