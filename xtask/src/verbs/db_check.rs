//! `cargo xtask db-check`: compares a database with what its migrations and seeds make. It writes nothing.

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
    throwaway::checking::{Place, check},
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
