//! `cargo xtask verify`: proves the migrations and seeds correct on a throwaway database.

mod direction;

use std::time::{Duration, Instant};

use catalogue::{Catalogue, Scope};
use clap::Args as ClapArgs;
use migrations::{Plan, Project, Prune, SeedMode, Session, Settings, Target};
use serde::Serialize;
use tests::scratch::Scratch;

use crate::{
    checkout::Checkout,
    database::{differences, schema, seeding},
    terminal::{
        exit::Stop,
        format::Format,
        interrupt::or_interrupted,
        output::{Steps, count},
    },
    throwaway::test_server::TestServer,
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Example:
  cargo xtask verify

On a throwaway database it proves: each up file has a statement; the migrations create exactly the tables in apps.toml; each migration touches only the tables that its app may; each down restores the schema before its up; applying everything again gives the same schema; running the seeds a second time changes nothing.

Exit code 3: a proof failed; the lines say where.")]
pub(crate) struct Args {
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What is wrong, a line each; empty if the proof holds.
type Flaws = Vec<String>;

/// What `--format json` reports besides the steps.
#[derive(Serialize)]
struct Report<'f> {
    flaws: &'f Flaws,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let mut steps = Steps::new(self.format);
        let start = Instant::now();
        let project = checkout.project()?;
        let files = count(project.migrations.len(), "migration", "migrations");
        steps.done("files", &format!("{files}, in one order"), "holds", Some(start.elapsed()));

        let prove_all = async |scratch: &Scratch, steps: &mut Steps| {
            or_interrupted(prove(scratch, &project, steps)).await
        };
        let flaws = TestServer::with_scratch(checkout, &project, &mut steps, prove_all).await?;

        steps.note(if flaws.is_empty() {
            "\nall of it holds"
        } else {
            "\nnot all of it holds; the lines above say where"
        });
        steps.finish(Report { flaws: &flaws });
        if flaws.is_empty() { Ok(()) } else { Err(Stop::Differs.into()) }
    }
}

/// Runs every proof on one database, and returns all that is wrong.
async fn prove(scratch: &Scratch, project: &Project, steps: &mut Steps) -> anyhow::Result<Flaws> {
    let mut proof = Proof {
        session: Session::connect(&scratch.options(), Settings::default()).await?,
        project,
        steps,
        flaws: Vec::new(),
    };
    proof.statements();
    let before = proof.up_step_by_step().await?;
    proof.contract().await?;
    proof.seeds().await?;
    if proof.down_step_by_step(&before).await? {
        proof.up_again(&before).await?;
    }
    let Proof { session, flaws, .. } = proof;
    session.close().await;
    Ok(flaws)
}

/// A database that goes through the proofs one after the other.
struct Proof<'p> {
    session: Session,
    project: &'p Project,
    steps: &'p mut Steps,
    flaws: Flaws,
}

impl Proof<'_> {
    /// Reports one proof and what it found wrong.
    fn report(&mut self, what: &str, flaws: Flaws, elapsed: Duration) {
        let state = if flaws.is_empty() { "holds" } else { "FAILED" };
        self.steps.done("proof", what, state, Some(elapsed));
        for flaw in &flaws {
            self.steps.note(&format!("  {flaw}"));
        }
        self.flaws.extend(flaws);
    }

    /// An up file without a statement was forgotten. Once a database has applied it, filling it in is too late.
    fn statements(&mut self) {
        let empty = self.project.migrations.iter().filter(|migration| migration.up.is_empty());
        let flaw =
            |path: &str| format!("{path} has no statement; write it, or remove the migration's two files");
        let flaws = empty.map(|migration| flaw(&migration.up.path)).collect();
        self.report("each up has a statement", flaws, Duration::ZERO);
    }

    async fn catalogue(&mut self) -> anyhow::Result<Catalogue> {
        schema::read(self.session.connection(), self.project).await
    }

    /// Applies the migrations one by one. Returns the catalogue before each, and the last one.
    async fn up_step_by_step(&mut self) -> anyhow::Result<Vec<Catalogue>> {
        let start = Instant::now();
        let mut before = vec![self.catalogue().await?];
        let project = self.project;
        let mut trespasses = Vec::new();
        for (index, migration) in project.migrations.iter().enumerate() {
            self.steps.doing_part("proof", &format!("up {}", migration.id), index, project.migrations.len());
            let target = Target::Migration(migration.id.clone());
            self.session.migrate(project, &target, &mut |_| {}).await?;
            let after = self.catalogue().await?;
            trespasses.extend(direction::trespasses(project, migration, &before[before.len() - 1], &after));
            before.push(after);
        }
        let print = before[before.len() - 1].fingerprint(Scope::Exact);
        self.report(&format!("from nothing to fingerprint {}", &print[..12]), Vec::new(), start.elapsed());
        self.report("each touches only tables that its app may", trespasses, Duration::ZERO);
        Ok(before)
    }

    async fn contract(&mut self) -> anyhow::Result<()> {
        let start = Instant::now();
        let contract = self.session.contract(self.project).await?;
        let tables = count(contract.expected, "table", "tables");
        self.report(&format!("{tables}, exactly as apps.toml says"), contract.differences(), start.elapsed());
        Ok(())
    }

    async fn seeds(&mut self) -> anyhow::Result<()> {
        let start = Instant::now();
        let first = self.session.seed(self.project, SeedMode::Write, Prune::No, &mut |_| {}).await?;
        let second = self.session.seed(self.project, SeedMode::Write, Prune::No, &mut |_| {}).await?;
        let mut flaws = Vec::new();
        if second.changes() > 0 {
            flaws.push(format!("the second run changed rows: {}", seeding::summary(&second)));
        }
        let rows = usize::try_from(first.changes()).unwrap_or(usize::MAX);
        self.report(
            &format!("seeds write {}, and nothing twice", count(rows, "row", "rows")),
            flaws,
            start.elapsed(),
        );
        Ok(())
    }

    /// Reverts the migrations one by one, with the seeds in the tables, and compares the catalogue with the one before
    /// each. Returns whether they all match.
    ///
    /// Step by step, because in a single run to zero one step's mistake can hide another's.
    async fn down_step_by_step(&mut self, before: &[Catalogue]) -> anyhow::Result<bool> {
        let start = Instant::now();
        let mut flaws = Vec::new();
        // Report each mistake once, not again for every step after it.
        let mut reported = Vec::new();
        let project = self.project;
        for (index, migration) in project.migrations.iter().enumerate().rev() {
            let (done, all) = (project.migrations.len() - 1 - index, project.migrations.len());
            self.steps.doing_part("proof", &format!("down {}", migration.id), done, all);
            let earlier =
                project.migrations[..index].iter().rev().find(|other| other.id.app == migration.id.app);
            let target = match earlier {
                Some(earlier) => Target::Migration(earlier.id.clone()),
                None => Target::Zero(migration.id.app.clone()),
            };
            self.session.migrate(project, &target, &mut |_| {}).await?;
            let after = self.catalogue().await?;
            let differences = changes(&before[index], &after);
            let new: Vec<&String> = differences.iter().filter(|line| !reported.contains(*line)).collect();
            if !new.is_empty() {
                flaws
                    .push(format!("the down of {} does not give back what was before its up:", migration.id));
                flaws.extend(new.into_iter().map(|line| format!("  {line}")));
            }
            reported = differences;
        }
        let holds = flaws.is_empty();
        self.report("each down gives back what was before its up", flaws, start.elapsed());
        Ok(holds)
    }

    async fn up_again(&mut self, before: &[Catalogue]) -> anyhow::Result<()> {
        let start = Instant::now();
        self.session.migrate(self.project, &Target::Latest, &mut |_| {}).await?;
        let again = self.catalogue().await?;
        let mut flaws = changes(&before[before.len() - 1], &again);
        let ledger = self.session.ledger(self.project).await?;
        let left = Plan::new(self.project, &ledger, &Target::Latest)?.steps.len();
        if left > 0 {
            flaws.push(format!("{left} still pending"));
        }
        self.report("up again gives the same fingerprint", flaws, start.elapsed());
        Ok(())
    }
}

/// What is not the same in two schemas, a line each. The order of columns is no difference: a column that was dropped and
/// is added again stands last.
fn changes(expected: &Catalogue, found: &Catalogue) -> Vec<String> {
    let mut differences = catalogue::differences(expected, found);
    differences.retain(|it| !it.is_note());
    differences::lines(expected, found, &differences)
}
