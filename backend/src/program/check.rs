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
    let main = backend::migrations()?;
    let mut all_agree = true;
    for project in main.databases() {
        database::announce(project, &main)?;
        let mut session = database::open(project, Access::ReadOnly).await?;
        session.require_version(project)?;
        all_agree &= compare(&mut session, project).await?;
        session.close().await;
    }
    if all_agree { Ok(()) } else { Err(Stop::Differs.into()) }
}

/// The number of missing properties that are listed; the rest are only counted.
const MOST_SHOWN: usize = 20;

/// Prints every difference between the database and the embedded migrations, and returns whether there is none.
pub(crate) async fn compare(session: &mut Session, project: &Project) -> anyhow::Result<bool> {
    let ledger = session.ledger(project).await?;
    let schema = migrations::schema::read(session.connection(), &project.left_out()).await?;
    let contract = Contract::new(&schema, project);
    let known = project.schema_text.as_deref().unwrap_or_default();
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
        return Ok(false);
    }
    line("the database has what this program needs")?;
    if project.schema_text.is_none() {
        line("  compared: the ledger, and the names of the tables")?;
        line("  not compared: anything else; this program was built without the text of the schema")?;
        return Ok(true);
    }
    let expected: BTreeSet<&str> = known.lines().collect();
    let (known, besides) = (expected.len(), found.difference(&expected).count());
    line(&format!(
        "  compared: the ledger, and {known} properties of the schema; the database has {besides} besides"
    ))?;
    line("  not compared: rows, and the text of views, rules, policies and SQL bodies")?;
    Ok(true)
}
