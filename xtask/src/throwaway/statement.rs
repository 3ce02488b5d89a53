//! One statement of a file, and why it fails.

use migrations::{explained_psql, sqlstate, statements, tokens};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::database::sql::quoted;

/// A statement, and where it stands.
#[derive(Clone)]
pub(super) struct Statement {
    pub(super) place: String,
    pub(super) sql: String,
}

/// The statements of a file, without psql's commands that do not matter.
pub(super) fn split(name: &str, text: &str) -> Vec<Statement> {
    let all = statements(text).into_iter();
    let all = all.map(|(line, sql)| {
        let commands = sql.split_inclusive('\n').take_while(|line| is_for_psql(line));
        let (count, length) = commands.fold((0, 0), |(count, length), line| (count + 1, length + line.len()));
        Statement { place: format!("{name}:{}", line + count), sql: sql[length..].to_owned() }
    });
    all.filter(|statement| !statement.sql.is_empty()).collect()
}

/// The commands of psql that decide which SQL runs, and where. They stay, for Postgres to refuse.
const MATTER: [&str; 16] = [
    "c",
    "connect",
    "copy",
    "elif",
    "else",
    "endif",
    "g",
    "gdesc",
    "gexec",
    "gset",
    "gx",
    "i",
    "if",
    "include",
    "include_relative",
    "ir",
];

/// Whether a line before a statement is another command of psql, or follows one and is blank or a comment.
fn is_for_psql(line: &str) -> bool {
    match line.strip_prefix('\\') {
        Some(command) => !command.split_whitespace().next().is_some_and(|name| MATTER.contains(&name)),
        None => line.starts_with("--") || line.trim().is_empty(),
    }
}

impl Statement {
    /// Runs it by itself.
    pub(super) async fn run(&self, conn: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(AssertSqlSafe(self.sql.clone())).execute(conn).await.map(drop)
    }

    /// The same. Roles are the server's business: one that it names and that is missing is made, and one that it makes may
    /// be there.
    pub(super) async fn run_with_roles(&self, conn: &mut PgConnection) -> Result<(), sqlx::Error> {
        loop {
            let Err(error) = self.run(conn).await else { return Ok(()) };
            if self.makes_role() && is_there(&error) {
                return Ok(());
            }
            let Some(role) = missing_role(&error) else { return Err(error) };
            let create = AssertSqlSafe(format!("create role {}", quoted(&role)));
            // The other side of a comparison may make it at the same moment.
            if sqlx::raw_sql(create).execute(&mut *conn).await.is_err_and(|create| !is_there(&create)) {
                return Err(error);
            }
        }
    }

    /// Whether it makes a role.
    pub(super) fn makes_role(&self) -> bool {
        const ROLES: [&str; 3] = ["role", "user", "group"];
        let words: Vec<&str> = tokens(&self.sql).into_iter().take(3).map(|it| &self.sql[it]).collect();
        let is = |at: usize, word: &str| words.get(at).is_some_and(|it| it.eq_ignore_ascii_case(word));
        is(0, "create") && ROLES.iter().any(|kind| is(1, kind)) && !is(2, "mapping")
    }

    /// The error that names it.
    pub(super) fn failed(&self, error: &sqlx::Error) -> anyhow::Error {
        anyhow::anyhow!("{}: {}", self.place, self.why(error))
    }

    /// Why it fails.
    pub(super) fn why(&self, error: &sqlx::Error) -> String {
        let for_psql = explained_psql(&self.sql).filter(|_| sqlstate::is(error, "42601"));
        for_psql.unwrap_or_else(|| words(error))
    }
}

/// Whether an error says that a role is there, also if it was made at the same moment.
fn is_there(error: &sqlx::Error) -> bool {
    ["42710", "23505"].iter().any(|code| sqlstate::is(error, code))
}

/// The role that an error says does not exist.
fn missing_role(error: &sqlx::Error) -> Option<String> {
    let error = Some(error).filter(|error| sqlstate::is(error, "42704"))?.as_database_error()?;
    let name = error.message().strip_prefix("role \"")?.strip_suffix("\" does not exist")?;
    Some(name.to_owned())
}

/// What Postgres says, with the SQLSTATE.
pub(super) fn words(error: &sqlx::Error) -> String {
    match (error.as_database_error(), sqlstate::code(error)) {
        (Some(error), Some(code)) => format!("{} ({code})", error.message()),
        _ => error.to_string(),
    }
}
