//! Repositories that sqlx-cli made, unchanged: their names of files, their history, their ledgers, their folders.

mod databases;
mod folders;
mod history;
mod ledgers;
mod names;

use std::fs;

use sqlx::migrate::Migrator;
use tests::TestDatabase;

use crate::checkout::Checkout;

/// A checkout with one app `a`, whose entry has these lines besides, and these files of it.
fn one_app(entry: &str, files: &[(&str, &str)]) -> Checkout {
    let manifest = format!(
        "[postgres]\nversion = 15\ndatabase = \"app\"\n[[app]]\nname = \"a\"\ndepends-on = []\ntables = []\n{entry}\n"
    );
    let ledger = "[migrate]\ncreate-schemas = [\"migrations\"]\ntable-name = \"migrations.a\"\n";
    let checkout = Checkout::with_files(&manifest, &[("a/sqlx.toml", ledger)]);
    for (name, text) in files {
        checkout.write(&format!("a/{name}"), text);
    }
    checkout
}

/// A checkout with one app `a`, whose entry has these lines besides, these tables and these files, and no `sqlx.toml`.
fn stock(entry: &str, tables: &[&str], files: &[(&str, &str)]) -> Checkout {
    let checkout = one_app(entry, files);
    checkout.replace("apps.toml", "tables = []", &format!("tables = {tables:?}"));
    checkout.remove("a/sqlx.toml");
    checkout
}

/// sqlx's own migrator of the app `a`, with its ledger.
async fn migrator(checkout: &Checkout) -> Migrator {
    let mut migrator = Migrator::new(checkout.path("a")).await.unwrap();
    migrator.dangerous_set_table_name("migrations.a".to_owned());
    migrator.create_schema("migrations".to_owned());
    migrator
}

/// The names of the files of the app `a`, without its `sqlx.toml`.
fn names(checkout: &Checkout) -> Vec<String> {
    let entries = fs::read_dir(checkout.path("a")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name != "sqlx.toml").collect();
    names.sort();
    names
}

/// The versions in the ledger of the app `a`.
async fn versions(db: &TestDatabase) -> Vec<i64> {
    sqlx::query_scalar("select version from migrations.a order by 1").fetch_all(db.pool()).await.unwrap()
}
