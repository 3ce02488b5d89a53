//! `backend`: what a deploy runs. It needs no cargo and no source tree: the migrations are inside.

use std::{env, process::ExitCode};

use anyhow::Context;
use migrations::{Access, Event, Project, Prune, SeedMode, Session, Settings, Target};
use sqlx::postgres::PgConnectOptions;

const USAGE: &str = "\
usage: backend migrate    apply the migrations and seeds that this program brings along
       backend check      compare the database with them; write nothing

The database is the one that DATABASE_URL names.
Exit codes: 0 done, 1 error, 2 usage, 3 the database is not what this program needs, 5 somebody else migrates.";

#[expect(clippy::print_stderr, reason = "a program's last words")]
fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let verb = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["migrate"] => Verb::Migrate,
        ["check"] => Verb::Check,
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.context("start the async runtime").and_then(|runtime| runtime.block_on(run(verb)));
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            let locked = matches!(error.downcast_ref(), Some(migrations::Error::Locked { .. }));
            ExitCode::from(if locked { 5 } else { 1 })
        }
    }
}

#[derive(Clone, Copy)]
enum Verb {
    Migrate,
    Check,
}

async fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    let project = backend::migrations()?;
    let url = env::var("DATABASE_URL").context("DATABASE_URL is not set; it names the database")?;
    let options: PgConnectOptions =
        url.parse().context("DATABASE_URL is not a connection string of Postgres")?;
    let access = match verb {
        Verb::Migrate => Access::Write,
        Verb::Check => Access::ReadOnly,
    };
    let settings = Settings { access, application_name: "backend".to_owned(), ..Settings::default() };
    let mut session = Session::connect(&options, settings).await?;
    session.require_version(&project)?;
    match verb {
        Verb::Migrate => migrate(&mut session, &project).await?,
        Verb::Check => {}
    }
    let code = check(&mut session, &project).await?;
    session.close().await;
    Ok(code)
}

#[expect(clippy::print_stdout, reason = "a deploy's log")]
async fn migrate(session: &mut Session, project: &Project) -> anyhow::Result<()> {
    let mut report = |event: Event<'_>| {
        if let Event::Done(step, elapsed) = event {
            println!("applied {} in {} ms", step.migration.id, elapsed.as_millis());
        }
    };
    session.migrate(project, &Target::Latest, &mut report).await?;
    let seeds = session.seed(project, SeedMode::Write, Prune::No, &mut report).await?;
    println!("seeds changed {} rows", seeds.changes());
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a deploy's log")]
async fn check(session: &mut Session, project: &Project) -> anyhow::Result<ExitCode> {
    let ledger = session.ledger(project).await?;
    let contract = session.contract(project).await?;
    let problems = ledger.problems(project).into_iter().map(|problem| problem.to_string());
    let pending =
        ledger.pending(project).into_iter().map(|migration| format!("pending     {}", migration.id));
    let differences: Vec<String> = problems.chain(pending).chain(contract.differences()).collect();
    for difference in &differences {
        println!("{difference}");
    }
    if differences.is_empty() {
        println!("the database is what this program needs");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::from(3))
}
