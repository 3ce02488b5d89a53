//! `backend check`: compares the database with what this program needs.
//!
//! The program has the text of the schema that its migrations make, in words that every supported version of PostgreSQL
//! agrees on, and looks for each of its lines in the database. What a database has besides is only counted: an index or a
//! right that its administrator added does not keep the program from working.

use std::collections::BTreeSet;

use catalogue::Scope;
use migrations::{Access, Contract, Project, Session};

use super::{database, exit::Stop, output::line};

pub(crate) async fn run() -> anyhow::Result<()> {
    for project in backend::migrations()?.databases() {
        let mut session = database::open(project, Access::ReadOnly).await?;
        session.require_version(project)?;
        compare(&mut session, project).await?;
        session.close().await;
    }
    Ok(())
}

/// The schema that the embedded migrations make in the main database; `cargo xtask prepare` writes it.
const SCHEMA: &str = include_str!("../../../migrations/schema.txt");
/// The number of missing properties that are listed; the rest are only counted.
const MOST_SHOWN: usize = 20;

/// Prints every difference between the database and the embedded migrations.
pub(crate) async fn compare(session: &mut Session, project: &Project) -> anyhow::Result<()> {
    let ledger = session.ledger(project).await?;
    let schema = migrations::schema::read(session.connection(), &project.left_out()).await?;
    let contract = Contract::new(&schema, project);
    let known = if project.postgres.is_other() { "" } else { SCHEMA };
    let schema = schema.text(Scope::Portable);
    let found: BTreeSet<&str> = schema.lines().collect();
    let problems = ledger.problems(project).into_iter().map(|problem| problem.to_string());
    let pending = ledger.pending(project);
    // If migrations are pending, what they make is missing; that need not be said line by line.
    let is_missing = |line: &&str| pending.is_empty() && !found.contains(line);
    let mut missing: Vec<String> =
        known.lines().filter(is_missing).map(|it| format!("missing     {it}")).collect();
    let pending = pending.iter().map(|migration| format!("pending     {}", migration.id));
    if missing.len() > MOST_SHOWN {
        let more = missing.split_off(MOST_SHOWN).len();
        missing.push(format!("… and {more} more properties of the schema"));
    }
    let differences: Vec<String> =
        problems.chain(pending).chain(contract.differences()).chain(missing).collect();
    for difference in &differences {
        line(difference)?;
    }
    if !differences.is_empty() {
        return Err(Stop::Differs.into());
    }
    let expected: BTreeSet<&str> = known.lines().collect();
    let (known, besides) = (expected.len(), found.difference(&expected).count());
    line("the database has what this program needs")?;
    line(&format!(
        "  compared: the ledger, and {known} properties of the schema; the database has {besides} besides"
    ))?;
    line("  not compared: rows, and the text of views, rules, policies and SQL bodies")
}
