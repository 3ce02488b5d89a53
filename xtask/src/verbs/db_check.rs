//! `cargo xtask db-check`: compares a database with what its migrations and seeds make. It writes nothing.

use anyhow::bail;
use clap::Args as ClapArgs;

use crate::{
    checkout::Checkout,
    database::session::on_server,
    server,
    terminal::{
        exit::Stop,
        format::Format,
        interrupt::or_interrupted,
        output::{self, Steps},
    },
    throwaway::checking::{Findings, Place, Schemas, check},
};

#[derive(Debug, Clone, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask db-check && echo in order
  cargo xtask db-check --fix-plan > fix.sql

With --fix-plan it prints the SQL that would make the schema what it should be, and runs none of it. Read it first: `-- data loss:` marks what loses rows or values. Then: cargo xtask db-shell --set=ON_ERROR_STOP=1 --file=fix.sql

It compares the ledger with the files, every object of the schema with what the applied migrations make, and the rows of the seeds with what the seeds make. What should be is built once on a throwaway server of the same major version, and kept in your cache folder. The database is opened read-only.

Rows that people added are nothing. A seeded row that was edited is a note, unless seed would repair it. The order of columns is a note too, and so is a setting of the database that no migration made.

Exit code 3: there are differences; each line says what differs.")]
pub(crate) struct Args {
    /// Exit with 3 too if a part could not be checked
    #[arg(long)]
    strict: bool,
    /// Build what should be in a throwaway database of the checked server, if there is no other server
    #[arg(long)]
    here: bool,
    /// Print the SQL that would mend the schema, instead of the differences
    #[arg(long, conflicts_with = "format")]
    fix_plan: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let project = checkout.project()?;
        let server = or_interrupted(server::start_existing(checkout, &project.postgres)).await?;
        let place = if self.here { Place::Here } else { Place::Own };
        let mut steps = Steps::quiet();
        let findings = on_server(&server, check(checkout, &project, &server, place, &mut steps)).await?;
        drop(steps);
        if self.fix_plan {
            return print_plan(&findings);
        }
        match self.format {
            Format::Json => output::json(&findings),
            Format::Text => {
                match findings.differences.is_empty() {
                    true => output::line(&format!("db-check: {}", findings.verdict())),
                    false => findings.lines().iter().for_each(|line| output::line(line)),
                }
                findings.remarks().iter().for_each(|line| output::line(line));
            }
        }
        let unchecked = self.strict && !findings.not_checked.is_empty();
        if findings.differences.is_empty() && !unchecked { Ok(()) } else { Err(Stop::Differs.into()) }
    }
}

/// Prints what would mend the schema. Differences that SQL does not mend are remarks.
fn print_plan(findings: &Findings) -> anyhow::Result<()> {
    let Some(Schemas { found, expected }) = &findings.schemas else {
        bail!("there is no plan: not checked: {}", findings.not_checked.join("; "));
    };
    // No check compares passwords, so the plan leaves alone what they are.
    let script = diff::diff(&found.clone().without_secrets(), expected)?;
    output::raw(&script.sql());
    for finding in findings.differences.iter().filter(|it| !it.what.is_empty()) {
        output::remark(&format!("{} {}", finding.row.difference, finding.what));
    }
    if findings.differences.is_empty() { Ok(()) } else { Err(Stop::Differs.into()) }
}
