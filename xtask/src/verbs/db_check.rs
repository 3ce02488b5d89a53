//! `cargo xtask db-check`: compares a database with what its migrations and seeds make. It writes nothing.

use clap::Args as ClapArgs;
use migrations::Project;

use crate::{
    checkout::Checkout,
    database::session::on_server,
    server,
    terminal::{
        exit::Stop,
        format::Format,
        interrupt::or_interrupted,
        output::{self, Steps, count},
    },
    throwaway::checking::{Findings, Place, check},
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Example:
  cargo xtask db-check && echo in order

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
        match self.format {
            Format::Json => output::json(&findings),
            Format::Text => print(&project, &findings),
        }
        let unchecked = self.strict && !findings.not_checked.is_empty();
        if findings.differences.is_empty() && !unchecked { Ok(()) } else { Err(Stop::Differs.into()) }
    }
}

fn print(project: &Project, findings: &Findings) {
    let Findings { differences, notes, not_checked, tables, rows } = findings;
    if differences.is_empty() {
        let migrations = count(project.migrations.len(), "migration", "migrations");
        let rows = if *rows > 0 {
            format!(", {}", count(*rows, "seeded row", "seeded rows"))
        } else {
            String::new()
        };
        let verdict = match (notes.is_empty(), not_checked.is_empty()) {
            (true, true) => "exactly as the files say",
            (false, true) => "as the files say, but for the notes",
            (_, false) => "as the files say, as far as it was checked",
        };
        let tables = count(*tables, "table", "tables");
        output::line(&format!("db-check: {migrations} applied, {tables}{rows}, {verdict}"));
    } else {
        findings.print();
    }
    findings.print_notes();
}
