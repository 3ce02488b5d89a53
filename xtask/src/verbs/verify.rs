//! `cargo xtask verify`: proves the migrations and seeds correct on a throwaway database.

mod direction;
mod ground;
mod of_the_server;
mod quick;
mod report;
mod schema_files;
mod ways;

use std::{
    mem,
    time::{Duration, Instant},
};

use catalogue::{Catalogue, Scope};
use clap::Args as ClapArgs;
use migrations::{Contract, Down, Error, Irreversible, Migration, Plan, Project, Prune, SeedMode, Target};
use tests::scratch::Scratch;

use crate::{
    checkout::Checkout,
    database::{
        differences::{self, MADE},
        seeding,
    },
    terminal::{
        exit::Stop,
        format::Format,
        interrupt::or_interrupted,
        output::{Steps, count},
    },
    throwaway::test_server::{TestServer, on_scratch},
    verbs::verify::{
        ground::{Ground, Ran, ran},
        of_the_server::{Changed, Objects},
        quick::Proven,
        report::{Flaws, Found, Report, without_way_back},
        ways::{WayDown, WayUp},
    },
};

#[derive(Debug, Clone, ClapArgs)]
#[command(after_help = "\
Example:
  cargo xtask verify

On a throwaway database it proves: each file has a statement; the migrations create exactly the tables in apps.toml; each migration touches only the tables that its app may; each down restores the schema before its up, without and with the seeds in the tables; applying again, each migration and all of them, gives the same schema; running the seeds a second time changes nothing; and the migrations make what the schema.sql files say.

It lists the roles and other objects of the whole server that a migration changes: they stay there, and each database on the server runs the migration, so it must be safe to run twice. That is proven too.

A migration that says `-- irreversible: why` is listed and not reverted. The downs below it are proven with empty tables only.

Exit code 3: a proof failed; the lines say where.")]
pub(crate) struct Args {
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// The proof of the direction rule.
const DIRECTION: &str = "each touches only tables that its app may";
/// The proof of the downs, on empty tables.
const DOWNS: &str = "each down gives back what was before its up";
/// The proof of the downs, on the tables that the seeds filled.
const SEEDED_DOWNS: &str = "each down works with the seeds in the tables";
/// The proof that the migrations can be applied again.
const UP_AGAIN: &str = "up again gives the same fingerprint";

/// The proof that several databases of a server can run the migrations, if they change what belongs to the server.
const TWICE: &str = "what belongs to the whole server can be made and dropped twice";

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let mut steps = Steps::new(self.format);
        let start = Instant::now();
        let project = checkout.project()?;
        let files = count(project.migrations.len(), "migration", "migrations");
        steps.done("files", &format!("{files}, in one order"), "holds", Some(start.elapsed()));

        let prove_all = async |scratch: &mut Scratch, steps: &mut Steps| {
            let server = scratch.options();
            let mut found = on_scratch(&server, async |another| {
                or_interrupted(prove(scratch, another, &project, steps)).await
            })
            .await?;
            found.flaws.extend(schema_files::prove(&server, &project, steps).await?);
            Ok(found)
        };
        let found = TestServer::with_scratch(checkout, &project, &mut steps, prove_all).await?;

        steps.note(if found.flaws.is_empty() {
            "\nall of it holds"
        } else {
            "\nnot all of it holds; the lines above say where"
        });
        steps.finish(Report::new(&project, &found));
        if found.flaws.is_empty() { Ok(()) } else { Err(Stop::Differs.into()) }
    }
}

/// Runs every proof on one database.
async fn prove(
    scratch: &mut Scratch,
    another: &mut Scratch,
    project: &Project,
    steps: &mut Steps,
) -> anyhow::Result<Found> {
    let mut ground = Ground::new(scratch, project).await?;
    let before = Objects::read(ground.session.connection()).await?;
    let mut proof = Proof { ground, project, steps, flaws: Vec::new() };
    proof.statements();
    proof.steps.doing("proof", "up and down, step by step");
    match quick::prove(&mut proof.ground, another).await {
        Some(proven) => proof.quickly(&proven).await?,
        None => {
            if let Err(error) = proof.step_by_step().await {
                proof.failed_at_a_second_run(error)?;
            }
        }
    }
    if let Some(line) = without_way_back(project) {
        proof.steps.note(&line);
    }
    let of_the_server = proof.of_the_server(&before).await?;
    if proof.flaws.is_empty() && !of_the_server.is_empty() {
        proof.twice(another).await?;
    }
    let Proof { ground, flaws, .. } = proof;
    ground.session.close().await;
    Ok(Found { flaws, of_the_server })
}

/// A database that goes through the proofs one after the other.
struct Proof<'p> {
    ground: Ground<'p>,
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

    /// Reports the schema that the migrations make.
    fn reached(&mut self, last: &Catalogue, elapsed: Duration) {
        let print = last.fingerprint(Scope::Exact);
        self.report(&format!("from nothing to fingerprint {print:.12}"), Vec::new(), elapsed);
    }

    /// Proves one after the other, and reports what is wrong with each migration.
    async fn step_by_step(&mut self) -> anyhow::Result<()> {
        self.ground.rebuild(&[]).await?;
        let up = self.up_step_by_step().await?;
        let last = self.ground.catalogue().await?;
        self.contract(&last);
        self.seeds().await?;
        self.down_step_by_step(&up).await?;
        self.up_again(up).await
    }

    /// Reports a migration that has made an object of the whole server before, on another database. Any other error ends the
    /// command.
    fn failed_at_a_second_run(&mut self, error: anyhow::Error) -> anyhow::Result<()> {
        match error.downcast_ref() {
            Some(Error::Failed(failure)) if failure.is_second_run() => {
                let lines = failure.to_string().lines().map(str::to_owned).collect();
                self.report(TWICE, lines, Duration::ZERO);
                Ok(())
            }
            _ => Err(error),
        }
    }

    /// Applies all on a second database while the first one has them applied, and reverts both.
    async fn twice(&mut self, another: &mut Scratch) -> anyhow::Result<()> {
        let start = Instant::now();
        another.empty().await?;
        let mut second = Ground::new(another, self.project).await?;
        let back = quick::way_back(self.project).unwrap_or_default();
        let all = async {
            second.migrate(&Target::Latest).await?;
            second.steps(&back).await?;
            self.ground.steps(&back).await
        };
        let ran = ran(all.await)?;
        second.session.close().await;
        let flaws = if let Ran::Failed(error) = ran { error } else { Vec::new() };
        self.report(TWICE, flaws, start.elapsed());
        Ok(())
    }

    /// Lists what the migrations have changed outside of their database.
    async fn of_the_server(&mut self, before: &Objects) -> anyhow::Result<Vec<Changed>> {
        let after = Objects::read(self.ground.session.connection()).await?;
        let changed = before.changed(&after, self.project);
        for Changed { what, file } in &changed {
            self.steps.note(&format!("           outside of the database, {file} changes {what}"));
        }
        Ok(changed)
    }

    /// Reports what holds, and proves the rest.
    async fn quickly(&mut self, proven: &Proven) -> anyhow::Result<()> {
        self.reached(&proven.last, proven.up);
        self.report(DIRECTION, Vec::new(), Duration::ZERO);
        let reverts = has_way_back(&self.project.migrations);
        if reverts {
            self.report(DOWNS, Vec::new(), proven.down);
        }
        self.contract(&proven.last);
        self.seeds().await?;
        if reverts {
            self.report(SEEDED_DOWNS, Vec::new(), Duration::ZERO);
        }
        self.report(UP_AGAIN, Vec::new(), proven.again);
        Ok(())
    }

    /// A file without a statement was forgotten. Once a database has applied the up, filling it in is too late.
    fn statements(&mut self) {
        let mut flaws = Vec::new();
        for migration in self.project.history().1 {
            if migration.up.is_empty() {
                let path = &migration.up.path;
                flaws.push(format!("{path} has no statement; write it, or remove the migration's files"));
            }
            if let Down::Script(down) = &migration.down
                && down.is_empty()
            {
                flaws.push(format!(
                    "{} has no statement; write what reverts the migration, or `select 1;` if nothing has to be reverted",
                    down.path
                ));
                let line = Irreversible::DIRECTIVE;
                flaws.push(format!("  if there is no way back, write this line alone: {line} why"));
            }
        }
        self.report("each file has a statement", flaws, Duration::ZERO);
    }

    /// Takes each migration up, down and up again, and lists those that have no way back.
    async fn up_step_by_step(&mut self) -> anyhow::Result<WayUp> {
        let start = Instant::now();
        let mut up = WayUp::default();
        let walked = up.walk(&mut self.ground, self.steps).await;
        if walked.is_ok() {
            up.before.last().into_iter().for_each(|last| self.reached(last, start.elapsed()));
        }
        let trespasses = direction::flaws(mem::take(&mut up.trespasses));
        let found = [(DIRECTION, trespasses), (DOWNS, mem::take(&mut up.downs))];
        // After an error, which is reported last, only what is known to be wrong.
        let stopped_early = walked.is_err();
        let again = stopped_early.then(|| (UP_AGAIN, mem::take(&mut up.again)));
        let reverts = has_way_back(&self.project.migrations);
        for (what, flaws) in found.into_iter().chain(again) {
            let is_empty = stopped_early || what == DOWNS && !reverts;
            if !(is_empty && flaws.is_empty()) {
                self.report(what, flaws, Duration::ZERO);
            }
        }
        walked.map(|()| up)
    }

    fn contract(&mut self, last: &Catalogue) {
        let start = Instant::now();
        let contract = Contract::new(last, self.project);
        let tables = count(contract.expected, "table", "tables");
        self.report(&format!("{tables}, exactly as apps.toml says"), contract.differences(), start.elapsed());
        let elsewhere = last.tables().filter(|table| !contract.schemas.contains(&table.address.schema));
        let mut elsewhere: Vec<String> = elsewhere.map(|table| table.address.name_within("public")).collect();
        if let Some(more) = elsewhere.len().checked_sub(4) {
            elsewhere.truncate(3);
            elsewhere.push(format!("and {} more", more + 1));
        }
        if !elsewhere.is_empty() {
            self.steps.note(&format!(
                "           it lists no table of another schema, so not {}",
                elsewhere.join(", ")
            ));
        }
    }

    async fn seeds(&mut self) -> anyhow::Result<()> {
        let start = Instant::now();
        let session = &mut self.ground.session;
        let first = session.seed(self.project, SeedMode::Write, Prune::No, &mut |_| {}).await?;
        let second = session.seed(self.project, SeedMode::Write, Prune::No, &mut |_| {}).await?;
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

    /// Reverts the migrations with the seeds in the tables, and leaves a database on which all can be applied again.
    async fn down_step_by_step(&mut self, up: &WayUp) -> anyhow::Result<()> {
        let start = Instant::now();
        let WayDown { stopped_at, flaws } = WayDown::walk(&mut self.ground, up, self.steps).await?;
        let all = &self.project.migrations;
        if has_way_back(&all[stopped_at.map_or(0, |index| index + 1)..]) || !flaws.is_empty() {
            self.report(SEEDED_DOWNS, flaws, start.elapsed());
        }
        if let Some(index) = stopped_at {
            if has_way_back(&all[..index]) {
                let id = &all[index].id;
                let what = format!("not below {id}, where the downs have run on empty tables only");
                self.steps.note(&format!("           {what}"));
            }
            // What is there now has rows, which no first way up has to cope with.
            self.ground.rebuild(&[]).await?;
        }
        Ok(())
    }

    async fn up_again(&mut self, up: WayUp) -> anyhow::Result<()> {
        let start = Instant::now();
        self.ground.migrate(&Target::Latest).await?;
        let again = self.ground.catalogue().await?;
        let mut flaws = up.again;
        flaws.extend(up.before.last().map_or(Vec::new(), |last| differences::real_lines(last, &again, MADE)));
        let ledger = self.ground.session.ledger(self.project).await?;
        let left = Plan::new(self.project, &ledger, &Target::Latest)?.steps.len();
        if left > 0 {
            flaws.push(format!("{left} still pending"));
        }
        self.report(UP_AGAIN, flaws, start.elapsed());
        Ok(())
    }
}

/// Whether any of these migrations is reverted by the proofs.
fn has_way_back(migrations: &[Migration]) -> bool {
    migrations.iter().any(|migration| !migration.is_history && migration.down.script().is_some())
}
