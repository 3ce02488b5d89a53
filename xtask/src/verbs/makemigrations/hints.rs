//! Lines beside objects in the schema files, which say about a change what two schemas don't show.

use anyhow::anyhow;
use migrations::{Project, SchemaFile, statements, tokens};

/// How such a line begins, and how it is used.
pub(super) struct Directive {
    pub(super) text: &'static str,
    pub(super) usage: &'static str,
}

/// Such a line.
pub(super) struct Hint {
    pub(super) place: String,
    pub(super) schema: String,
    pub(super) relation: String,
    pub(super) column: Option<String>,
    /// What follows the directive.
    pub(super) value: String,
}

impl Directive {
    /// The lines in all schema files.
    pub(super) fn hints(&self, project: &Project) -> anyhow::Result<Vec<Hint>> {
        let mut hints = Vec::new();
        for file in &project.schema_files {
            hints.extend(self.hints_of(file)?);
        }
        Ok(hints)
    }

    /// The error for a line that says nothing.
    pub(super) fn misused(&self, place: &str) -> anyhow::Error {
        anyhow!("{place}: write {}", self.usage)
    }

    fn hints_of(&self, file: &SchemaFile) -> anyhow::Result<Vec<Hint>> {
        let text = &file.script.text;
        let statements = statements(text);
        let lines: Vec<&str> = text.lines().collect();
        let mut hints = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            let Some((before, value)) = line.split_once(self.text) else { continue };
            let number = index + 1;
            let within = |(start, sql): &&(usize, &str)| {
                *start <= number && number <= start + sql.matches('\n').count()
            };
            let (statement, column) = match statements.iter().find(within) {
                Some(statement) if statement.0 == number => (Some(statement), None),
                Some(statement) => {
                    let after = lines[index + 1..].iter().map(|line| line.trim());
                    let next = after.filter(|line| !line.is_empty()).find(|line| !line.starts_with("--"));
                    let line = if before.trim().is_empty() { next } else { Some(before) };
                    (Some(statement), Some(line.and_then(first_name)))
                }
                None => (statements.iter().find(|(start, _)| *start > number), None),
            };
            let place = format!("{}:{number}", file.script.path);
            let created = statement.and_then(|(_, sql)| created(sql));
            // Within any other statement it is a comment of a body.
            if created.is_none() && column.is_some() {
                continue;
            }
            let (Some((schema, relation)), None | Some(Some(_))) = (created, &column) else {
                return Err(self.misused(&place));
            };
            let value = value.trim().to_owned();
            hints.push(Hint { place, schema, relation, column: column.flatten(), value });
        }
        Ok(hints)
    }
}

/// The first name in a line of SQL.
pub(super) fn first_name(sql: &str) -> Option<String> {
    tokens(sql).first().map(|range| unquoted(&sql[range.clone()]))
}

/// A name as the server stores it.
fn unquoted(token: &str) -> String {
    match token.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
        Some(name) => name.replace("\"\"", "\""),
        None => token.to_lowercase(),
    }
}

/// The schema and name of the table, view, type, sequence or domain that a statement creates.
fn created(sql: &str) -> Option<(String, String)> {
    const KINDS: [&str; 5] = ["table", "view", "type", "sequence", "domain"];
    let words: Vec<&str> = tokens(sql).into_iter().map(|range| &sql[range]).collect();
    let is = |at: usize, word: &str| words.get(at).is_some_and(|it| it.eq_ignore_ascii_case(word));
    let kind = (1..5).find(|&at| KINDS.iter().any(|kind| is(at, kind))).filter(|_| is(0, "create"))?;
    let first = if is(kind + 1, "if") { kind + 4 } else { kind + 1 };
    let name = unquoted(words.get(first)?);
    if is(first + 1, ".") {
        return Some((name, unquoted(words.get(first + 2)?)));
    }
    Some(("public".to_owned(), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIRECTIVE: Directive = Directive { text: "-- renamed-from:", usage: "" };

    fn check(text: &str, expected: &[&str]) {
        let sqlx_toml = "[migrate]\ncreate-schemas = [\"m\"]\ntable-name = \"m.a\"\n";
        let manifest = "[postgres]\nversion = 15\ndatabase = \"app\"\n[[app]]\nname = \"a\"\ndepends-on = []\ntables = []\n";
        let files = [("apps.toml", manifest), ("a/sqlx.toml", sqlx_toml), ("a/schema.sql", text)];
        let files = files.map(|(path, text)| migrations::SourceFile::new(path, text));
        let project = Project::from_files("migrations", files.into()).unwrap();
        let found = DIRECTIVE.hints_of(&project.schema_files[0]).unwrap();
        let found: Vec<String> = found
            .iter()
            .map(|it| {
                format!(
                    "{}.{}{} was {}",
                    it.schema,
                    it.relation,
                    it.column.as_ref().map_or(String::new(), |c| format!(".{c}")),
                    it.value
                )
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_line_belongs_to_the_object_beside_it() {
        check(
            "create table t (\n  a int, -- renamed-from: b\n  -- renamed-from: \"C d\"\n  c text\n);",
            &["public.t.a was b", "public.t.c was \"C d\""],
        );
        check(
            "-- renamed-from: old\n-- Why.\ncreate table if not exists s.\"New\" (\n  a int\n);\n\ncreate type e as enum ('x'); -- renamed-from: f",
            &["s.New was old", "public.e was f"],
        );
        check("select 1", &[]);
    }
}
