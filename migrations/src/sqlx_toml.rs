//! `sqlx.toml` of an app: sqlx-cli and this crate both read it, so that both use the same ledger table.

use crate::{Place, Problem, id::is_plain};

/// Name of the file in an app's folder.
pub(crate) const FILE: &str = "sqlx.toml";

/// The schema-qualified ledger table that the file names.
pub(crate) fn ledger_table(
    app: &str,
    path: &str,
    text: Option<&str>,
    problems: &mut Vec<Problem>,
) -> Option<String> {
    let mut say = |message| problems.push(Problem::SqlxToml { place: Place::file(path), message });
    let wanted =
        format!("create-schemas = [\"migrations\"] and table-name = \"migrations.{app}\" under [migrate]");
    let Some(text) = text else {
        say(format!("missing, so sqlx-cli would keep another ledger; create it with {wanted}"));
        return None;
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
    let table = migrate.get("table-name").and_then(|value| value.as_str()).unwrap_or_default();
    let schema = match table.split_once('.') {
        // sqlx pastes the name into SQL unquoted, so only a name that needs no quotes always means the same table.
        Some((schema, name)) if is_plain(schema) && is_plain(name) && schema != "public" => schema,
        _ => {
            say(format!("`table-name` must be a plain name in a schema of its own; set {wanted}"));
            return None;
        }
    };
    let schemas =
        migrate.get("create-schemas").and_then(|value| value.as_array()).cloned().unwrap_or_default();
    if !schemas.iter().any(|value| value.as_str() == Some(schema)) {
        say(format!(
            "`create-schemas` must list `{schema}`, or sqlx-cli fails on an empty database; set {wanted}"
        ));
    }
    Some(table.to_owned())
}
