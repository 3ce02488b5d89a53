//! `sqlx.toml` of an app: sqlx-cli and this crate both read it, so that both use the same ledger table.

use crate::{App, Place, Problem, manifest::is_ledger};

/// Name of the file in an app's folder.
pub(crate) const FILE: &str = "sqlx.toml";
/// The ledger that sqlx has if no setting names another; older versions have no such setting.
pub const STOCK_LEDGER: &str = "public._sqlx_migrations";

/// The schema-qualified ledger table of an app: the one that the manifest names, which must not contradict the file.
pub(crate) fn ledger_table(app: &App, text: Option<&str>, problems: &mut Vec<Problem>) -> Option<String> {
    let place = || Place::file(format!("{}/{FILE}", app.folder));
    let mut say = |message| problems.push(Problem::SqlxToml { place: place(), message });
    let stated = Some(&app.ledger).filter(|ledger| !ledger.is_empty()).cloned();
    let wanted = format!(
        "create-schemas = [\"migrations\"] and table-name = \"migrations.{}\" under [migrate]",
        app.name
    );
    let Some(text) = text else {
        if stated.is_none() && !app.is_elsewhere {
            say(format!(
                "missing, so sqlx-cli would keep another ledger; create it with {wanted}, or, if sqlx-cli has its own ledger already, \
                 write ledger = \"{STOCK_LEDGER}\" for `{}` in apps.toml",
                app.name
            ));
            return None;
        }
        // A package has one of its own, beside the one of the program that uses it.
        let usual =
            app.package.as_ref().map_or(STOCK_LEDGER.to_owned(), |_| format!("migrations.{}", app.name));
        return Some(stated.unwrap_or(usual));
    };
    let file: toml::Table = match text.parse() {
        Ok(file) => file,
        Err(error) => {
            say(error.message().to_owned());
            return None;
        }
    };
    let migrate = file.get("migrate").and_then(|value| value.as_table()).cloned().unwrap_or_default();
    if migrate.contains_key("ignored-chars") {
        say("`ignored-chars` changes every checksum; remove it and keep line ends in .gitattributes"
            .to_owned());
    }
    let named = migrate.get("table-name").and_then(|value| value.as_str());
    // Without a schema it is the first of the search path, which is `public` on a usual database.
    let table = named.map_or(STOCK_LEDGER.to_owned(), |name| {
        if name.contains('.') { name.to_owned() } else { format!("public.{name}") }
    });
    // sqlx pastes the name into SQL unquoted, so only a name that needs no quotes always means the same table.
    let Some((schema, _)) = table.split_once('.').filter(|_| is_ledger(&table)) else {
        say(format!("`table-name` must be a plain name; set {wanted}"));
        return None;
    };
    if let Some(stated) = stated.filter(|stated| *stated != table) {
        say(format!(
            "sqlx-cli would keep the ledger {table}, and `ledger` of `{}` in apps.toml says {stated}; make them the same",
            app.name
        ));
        return None;
    }
    let schemas =
        migrate.get("create-schemas").and_then(|value| value.as_array()).cloned().unwrap_or_default();
    let is_made = schema == "public" || schemas.iter().any(|value| value.as_str() == Some(schema));
    if !is_made && !app.is_elsewhere {
        say(format!(
            "`create-schemas` must list `{schema}`, or sqlx-cli fails on an empty database; set {wanted}"
        ));
    }
    Some(table)
}
