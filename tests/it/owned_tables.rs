//! What a table of an app is: any name, and with it its partitions and what inherits from it.

use std::fs;

use sqlx::Executor;
use tests::TestDatabase;

use crate::{checkout::Checkout, snapshot::snapshot};

/// Names that need quotes in SQL.
const ODD: [&str; 5] = ["user", "Order", "a b", "it's \"x\"", "Größe\\n"];

/// A project with one app, which owns these tables.
fn project(tables: &[&str], up: &str) -> Checkout {
    let tables: Vec<String> = tables.iter().map(|name| format!("{name:?}")).collect();
    let manifest = format!(
        "[postgres]\nversion = 15\ndatabase = \"app\"\n\n[[app]]\nname = \"odd\"\ndepends-on = []\ntables = [{}]\n",
        tables.join(", ")
    );
    let ledger = "[migrate]\ncreate-schemas = [\"migrations\"]\ntable-name = \"migrations.odd\"\n";
    let checkout = Checkout::with_files(&manifest, &[("odd/sqlx.toml", ledger)]);
    checkout.migration("odd/0001_initial", up, "drop schema public cascade; create schema public;");
    checkout
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[test]
fn tables_whose_names_need_quotes_are_owned_like_any_other() {
    tests::empty().run(async |db| {
        let mut up = String::new();
        for (n, name) in ODD.iter().enumerate() {
            let table = quoted(name);
            let refers = if n > 0 { format!(" references {}", quoted(ODD[n - 1])) } else { String::new() };
            up += &format!(
                "create table {table} (\"the id\" serial primary key, \"a, b\" text, before int{refers});\n"
            );
        }
        let checkout = project(&ODD, &up);
        checkout.xtask(db, &["migrate"]).expect(0, &["odd/0001_initial"]);
        checkout.xtask(db, &["db-check"]).expect(0, &["5 tables, exactly as the files say"]);
        checkout.xtask(db, &["inspect"]).expect(0, &["app odd, 5 tables"]).expect(0, &ODD);
        checkout.xtask(db, &["inspect", "a b"]).expect(0, &["a b  (app odd)", "→ Order.the id"]);
        for name in ODD {
            checkout
                .xtask(db, &["inspect", name])
                .expect(0, &[&format!("{name}  (app odd)\n"), "the id", "a, b"]);
        }
        checkout.xtask(db, &["erd"]).expect(0, &ODD).expect(0, &["Order"]);
        for name in ODD {
            let sql = format!("insert into {} (\"a, b\") values ('x'), (null)", quoted(name));
            db.pool().execute(sqlx::AssertSqlSafe(sql)).await?;
        }
        let before = snapshot(db).await;
        let dump = checkout.root().join("kept").display().to_string();
        checkout.xtask(db, &["dumpdata", "--output", &dump]).expect(0, &["5 tables, 10 rows"]);
        checkout.xtask(db, &["flush"]).expect(0, &["10 rows out of 5 tables"]);
        assert_ne!(before, snapshot(db).await);
        checkout
            .xtask(db, &["loaddata", &dump, "--replace"])
            .expect(0, &["5 tables, every constraint checked"]);
        assert_eq!(before, snapshot(db).await);
        for (n, name) in ODD.iter().enumerate() {
            let dump = checkout.root().join(format!("kept_{n}")).display().to_string();
            checkout.xtask(db, &["dumpdata", name, "--output", &dump]).expect(0, &["1 table, 2 rows"]);
            checkout.xtask(db, &["loaddata", &dump, "--replace"]).expect(0, &["2 rows in 1 table"]);
        }
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn tables_of_other_schemas_are_listed_with_the_schema() {
    tests::empty().run(async |db| {
        let up = "create schema audit;
                  create table users (id int primary key, name text not null unique);
                  create table audit.events (id serial primary key, \"user\" int not null references users);
                  create table audit.users (id int primary key, name text not null unique);
                  create table audit.\"Odd one\" (id int) partition by list (id);
                  create table audit.part partition of audit.\"Odd one\" for values in (1);";
        let tables = ["users", "audit.events", "audit.users", "audit.Odd one"];
        let checkout = project(&tables, up);
        checkout.migration("odd/0001_initial", up, "drop schema audit cascade; drop table users;");
        let seed = "insert into users values (1, 'a') on conflict do nothing;
                    insert into audit.users values (1, 'b') on conflict do nothing;";
        checkout.write("odd/seed.sql", seed);
        checkout
            .xtask(db, &["verify"])
            .expect(0, &["4 tables, exactly as apps.toml says", "all of it holds"]);
        checkout.xtask(db, &["migrate"]).expect(0, &["odd/0001_initial"]);
        checkout.xtask(db, &["seed"]).expect(0, &["audit.users +1"]);
        checkout.xtask(db, &["db-check"]).expect(0, &["4 tables, 2 seeded rows, exactly as the files say"]);

        let filled =
            "insert into audit.events (\"user\") values (1), (1); insert into audit.\"Odd one\" values (1);";
        db.pool().execute(filled).await?;
        let before = snapshot(db).await;
        let dump = checkout.root().join("kept").display().to_string();
        checkout.xtask(db, &["dumpdata", "--output", &dump]).expect(0, &["4 tables, 5 rows"]);
        checkout.xtask(db, &["flush"]).expect(0, &["5 rows out of 4 tables"]);
        assert_ne!(before, snapshot(db).await);
        checkout.xtask(db, &["loaddata", "--replace", &dump]).expect(0, &["audit.Odd one", "5 rows"]);
        assert_eq!(before, snapshot(db).await);

        db.pool().execute("update audit.users set name = 'c'; create table audit.more ()").await?;
        checkout.xtask(db, &["db-check"]).expect(3, &["audit.users", "unexpected  table audit.more"]);
        let contract = ["listed", "audit.part"];
        checkout.replace("apps.toml", "\"audit.events\"", "\"audit.part\"");
        checkout.xtask(db, &["verify"]).expect(3, &contract).expect(3, &["unexpected  table audit.events"]);
        Ok(())
    });
}

#[test]
fn the_direction_rule_holds_for_names_that_need_quotes() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        let each = |sql: &str| ODD.map(|name| sql.replace("{}", &quoted(name))).join("\n");
        let [up, down] = [each("create table {} (id int primary key);"), each("drop table {};")];
        checkout.migration("library/0004_odd", &up, &down);
        let listed = ODD.map(|name| format!(", {name:?}")).concat();
        checkout.replace("apps.toml", "\"branches\",", &format!("\"branches\"{listed},"));
        let [up, down] = ["add column note text", "drop column note"]
            .map(|change| each(&format!("alter table {{}} {change};")));
        checkout.migration("loans/0002_trespass", &up, &down);
        let verified = checkout.xtask(db, &["verify"]);
        for name in ODD {
            let touches = format!(
                "loans/0002_trespass touches table {name} of app `library`, which `depends-on` of `loans` does not list"
            );
            verified.expect(3, &[&touches]);
        }
        Ok(())
    });
}

const PARTS: &str = "create table events (id int, day date) partition by range (day);
    create table events_2026 partition of events for values from ('2026-01-01') to ('2027-01-01')
        partition by range (day);
    create table events_may partition of events_2026 for values from ('2026-05-01') to ('2026-06-01');
    create table things (id int primary key, name text);
    create table tools (weight int) inherits (things);";

async fn with_rows(db: &TestDatabase, checkout: &Checkout) {
    checkout.xtask(db, &["migrate"]).expect(0, &[]);
    let rows = "insert into events values (1, '2026-05-05'); insert into things values (1, 'a');
                insert into tools values (2, 'b', 3)";
    db.pool().execute(rows).await.unwrap();
}

#[test]
fn a_partition_and_an_inheriting_table_belong_to_their_parents() {
    tests::empty().run(async |db| {
        let checkout = project(&["events", "things"], PARTS);
        with_rows(db, &checkout).await;
        checkout.xtask(db, &["db-check"]).expect(0, &["2 tables, exactly as the files say"]);
        checkout
            .xtask(db, &["inspect"])
            .expect(0, &["app odd, 3 tables\n  events  2 columns\n  things  2 columns\n  tools "]);
        checkout.xtask(db, &["erd"]).expect(0, &["odd\n  events  2 columns\n  things  2 columns\n  tools "]);
        let before = snapshot(db).await;
        let dump = checkout.root().join("kept").display().to_string();
        // The row of the partition is in the dump once, as a row of its parent.
        checkout.xtask(db, &["dumpdata", "--output", &dump]).expect(0, &["3 rows"]);
        checkout.xtask(db, &["flush"]).expect(0, &["3 rows"]);
        checkout.xtask(db, &["loaddata", &dump]).expect(0, &["every constraint checked"]);
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn a_part_that_is_listed_is_refused_by_name() {
    for (listed, parent, part) in [
        ("events_2026", "events", "table events_2026 is a partition of events"),
        ("events_may", "events", "table events_may is a partition of events_2026"),
        ("tools", "things", "table tools inherits from things"),
    ] {
        tests::empty().run(async |db| {
            let checkout = project(&["events", "things"], PARTS);
            with_rows(db, &checkout).await;
            let dump = checkout.root().join("kept").display().to_string();
            checkout.xtask(db, &["dumpdata", parent, "--output", &dump]).expect(0, &[]);
            checkout.replace("apps.toml", "\"things\"]", &format!("\"things\", \"{listed}\"]"));
            let before = snapshot(db).await;
            for verb in ["db-check", "db-setup"] {
                checkout.xtask(db, &[verb]).expect(3, &[part, "remove it from apps.toml"]);
            }
            checkout.xtask(db, &["verify"]).expect(3, &[part]);
            checkout.xtask(db, &["flush"]).expect(3, &[part, "nothing was touched"]);
            let refused = [part, "nothing was touched", "remove it from the tables of app `odd`"];
            let other = checkout.root().join("other").display().to_string();
            checkout.xtask(db, &["dumpdata", "--output", &other]).expect(1, &refused);
            checkout.xtask(db, &["dumpdata", listed, "--output", &other]).expect(1, &refused);
            // A dump that was made while the part was a table of its own. An inheriting table is in its parent's dump.
            let kept = checkout.root().join("kept");
            let text = fs::read_to_string(kept.join("dump.json")).unwrap();
            if !text.contains(&format!("\"{listed}\"")) {
                let text = text.replace(&format!("\"{parent}"), &format!("\"{listed}"));
                fs::write(kept.join("dump.json"), text).unwrap();
                fs::rename(kept.join(format!("{parent}.copy")), kept.join(format!("{listed}.copy"))).unwrap();
            }
            checkout.xtask(db, &["loaddata", &dump, "--replace"]).expect(1, &refused);
            assert_eq!(before, snapshot(db).await);
            Ok(())
        });
    }
}

#[test]
fn a_table_of_another_server_is_owned_and_its_rows_stay_there() {
    tests::empty().run(async |db| {
        let up = "create table here (id int primary key); create foreign data wrapper w;
            create server s foreign data wrapper w; create foreign table \"Far\" (id int) server s;";
        let checkout = project(&["here", "Far"], up);
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        checkout.xtask(db, &["db-check"]).expect(0, &["2 tables, exactly as the files say"]);
        checkout.xtask(db, &["inspect"]).expect(0, &["app odd, 2 tables"]);
        checkout.xtask(db, &["erd"]).expect(0, &["odd\n  Far   1 column\n  here  1 column\n"]);
        db.pool().execute("insert into here values (1)").await?;
        let dump = checkout.root().join("kept").display().to_string();
        let left_out = "table Far is left out: its rows are on another server";
        checkout.xtask(db, &["dumpdata", "--output", &dump]).expect(0, &["1 table, 1 row", left_out]);
        checkout.xtask(db, &["flush"]).expect(0, &["1 row out of 1 table"]);
        checkout.xtask(db, &["loaddata", &dump]).expect(0, &["1 row in 1 table"]);
        Ok(())
    });
}

#[test]
fn what_inherits_from_a_table_that_no_app_owns_is_a_table_of_its_own() {
    tests::empty().run(async |db| {
        let checkout = project(&["events", "things"], PARTS);
        with_rows(db, &checkout).await;
        let make = "create table stray (); create table heir () inherits (stray);
                    create schema other; create table other.base (); create table hidden () inherits (other.base);
                    create table hammers () inherits (tools)";
        db.pool().execute(sqlx::raw_sql(make)).await?;
        let flushed = checkout.xtask(db, &["flush"]);
        flushed.expect(3, &["unexpected  table heir,", "unexpected  table hidden,", "unexpected  table stray,"]);
        assert!(!flushed.stderr.contains("hammers"), "{}", flushed.stderr);
        Ok(())
    });
}
