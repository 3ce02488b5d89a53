//! Values of a type, as SQL. Nothing here is sure to fit: each is tried.

use std::collections::HashMap;

use catalogue::{Body, Catalogue, Kind};
use migrations::tokens;
use sqlx::PgConnection;

use super::attempt::runs;

/// Where a number stands that makes values differ.
const NUMBER: &str = "{n}";

/// The values that Postgres accepted, for each type and what its column's checks hint at.
pub(super) struct Values<'c> {
    schema: &'c Catalogue,
    accepted: HashMap<(String, Vec<String>), Vec<String>>,
}

impl<'c> Values<'c> {
    pub(super) fn new(schema: &'c Catalogue) -> Values<'c> {
        Values { schema, accepted: HashMap::new() }
    }

    /// The values of a type, the likely ones first. `hints` are literals of the checks on the column.
    pub(super) async fn values(
        &mut self,
        conn: &mut PgConnection,
        data_type: &str,
        hints: &[String],
        number: usize,
    ) -> anyhow::Result<Vec<String>> {
        let key = (data_type.to_owned(), hints.to_vec());
        if !self.accepted.contains_key(&key) {
            let candidates = [hints, &self.candidates(data_type)].concat();
            let values = accepted(conn, data_type, &candidates).await?;
            self.accepted.insert(key.clone(), values);
        }
        let number = number.to_string();
        let value = |value: &String| format!("({})::{data_type}", value.replace(NUMBER, &number));
        Ok(self.accepted[&key].iter().map(value).collect())
    }

    fn candidates(&self, data_type: &str) -> Vec<String> {
        if let Some(element) = data_type.strip_suffix("[]") {
            let elements = self.candidates(element);
            let arrays = elements.iter().map(|value| format!("array[({value})::{element}]"));
            return arrays.chain(["'{}'".to_owned()]).collect();
        }
        let own = [Kind::Enum, Kind::Domain].into_iter().flat_map(|kind| self.schema.of_kind(kind));
        let own = own.into_iter().find(|it| self.schema.qualified(&it.address) == data_type);
        match own.map(|it| (&it.address, &it.body)) {
            Some((_, Body::Enum(it))) => it.labels.iter().map(|label| migrations::literal(label)).collect(),
            Some((address, Body::Domain(domain))) => {
                let checks = self.schema.parts(Kind::DomainConstraint, address);
                let literals = checks.flat_map(|it| match &it.body {
                    Body::DomainConstraint(it) => literals(&it.check),
                    _ => Vec::new(),
                });
                literals.chain(self.candidates(&domain.data_type)).collect()
            }
            _ => built_in(data_type).iter().map(|&value| value.to_owned()).collect(),
        }
    }
}

/// The values that a type has.
async fn accepted(
    conn: &mut PgConnection,
    data_type: &str,
    candidates: &[String],
) -> anyhow::Result<Vec<String>> {
    let mut accepted = Vec::new();
    for value in candidates {
        let sql = format!("select ({})::{data_type}", value.replace(NUMBER, "1"));
        if runs(conn, sql).await?.is_ok() {
            accepted.push(value.clone());
        }
    }
    Ok(accepted)
}

/// The literals of an expression, and for each number the next one.
pub(super) fn literals(expression: &str) -> Vec<String> {
    let tokens = tokens(expression);
    let words = tokens.iter().map(|range| &expression[range.clone()]);
    words
        .flat_map(|word| match word.parse::<i64>() {
            Ok(number) => vec![number.to_string(), (number + 1).to_string(), (number - 1).to_string()],
            Err(_) if word.starts_with('\'') => vec![word.to_owned()],
            Err(_) => Vec::new(),
        })
        .collect()
}

fn built_in(data_type: &str) -> &'static [&'static str] {
    let name = data_type.split('(').next().unwrap_or_default().trim_end();
    match name {
        "boolean" => &["true", "false"],
        "smallint" | "integer" | "bigint" | "numeric" | "real" | "double precision" | "money" | "oid" => {
            &["{n}", "{n} + 100", "0.{n}", "0", "-{n}", "{n} + 10000"]
        }
        "uuid" => &["md5('{n}')::uuid"],
        "date" | "timestamp" | "timestamp without time zone" | "timestamp with time zone" => {
            &["date '2001-01-01' + {n}", "date '2031-01-01' + {n}"]
        }
        "time without time zone" | "time with time zone" | "interval" => {
            &["interval '{n} minutes'", "'01:0{n}'", "'02:0{n}'"]
        }
        "json" | "jsonb" => &["'{}'", "'[]'", "'{\"a\": {n}}'", "'\"a{n}\"'"],
        "bytea" => &["decode(md5('{n}'), 'hex')", "sha256('{n}')", "''"],
        "inet" | "cidr" => &["'10.0.0.{n}'"],
        "macaddr" | "macaddr8" => &["'08:00:2b:01:02:0{n}'"],
        _ => &[
            "'a{n}'",
            "'a{n}@b.cd'",
            "'A{n}'",
            "'{n}'",
            "md5('{n}')",
            "encode(sha256('{n}'), 'hex')",
            "'https://a.cd/{n}'",
            "'a'",
            "'AB'",
            "'ABC'",
            "'+491234567{n}'",
            "'[{n},{n}]'",
            "'[2001-01-0{n},2001-01-0{n}]'",
            "'({n},{n})'",
            "''",
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::literals;

    #[test]
    fn a_check_suggests_values() {
        assert_eq!(literals("(a = ANY (ARRAY['x'::text, 'it''s'::text]))"), ["'x'", "'it''s'"]);
        assert_eq!(literals("(n > 5)"), ["5", "6", "4"]);
    }
}
