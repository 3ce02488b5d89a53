//! Turns an empty server into a migrated, seeded and checked database, for `db-setup` and `db-reset`.

use catalogue::{Address, Kind};
use clap::Args as ClapArgs;
use migrations::{
    Error, Project, Prune, SeedMode, Session, Target,
    database::{self, Found},
    sqlstate,
};
use serde::Serialize;
use sqlx::PgConnection;

use crate::{
    database::{
        migrating, seeding,
        session::{self, Timeouts},
    },
    server::Server,
    terminal::output::{Steps, timed},
};

/// The options that `db-setup` and `db-reset` share.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Setup {
    /// Environment of a new database [default: development]; destructive commands refuse any but development and test
    #[arg(long, value_name = "NAME", value_parser = parse_environment)]
    pub(crate) environment: Option<String>,
    #[command(flatten)]
    pub(crate) timeouts: Timeouts,
}

/// The environment of a new database, unless the user names another.
pub(crate) const DEVELOPMENT: &str = "development";

/// The marker separates the environment from the rest by blanks.
fn parse_environment(name: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(plain) {
        Ok(name.to_owned())
    } else {
        Err("use lower-case letters, digits, `-` and `_`".to_owned())
    }
}

/// What a set-up reports beside its steps.
#[derive(Serialize)]
struct Report {
    done: bool,
    /// Without the password.
    url: String,
}

/// Prints where the database is, if all went well. A JSON report is printed even after a failure.
pub(crate) fn finish(server: &Server, steps: &mut Steps, done: &anyhow::Result<()>) {
    if done.is_ok() {
        steps
            .note(&format!("\n{}\ncargo xtask db-url prints it whole, db-shell opens it", server.redacted()));
    }
    steps.finish(Report { done: done.is_ok(), url: server.redacted() });
}

/// Does every step after starting the server, but the check at the end.
pub(crate) async fn set_up(
    server: &Server,
    project: &Project,
    setup: &Setup,
    steps: &mut Steps,
) -> anyhow::Result<()> {
    let mut conn = session::maintenance(server).await?;
    let version = session::version_of(&conn, &project.postgres)?;
    server.report(steps, &version);
    let found = create(&mut conn, server, setup.environment.as_deref(), steps).await?;

    let mut session = session::open(server, project, setup.timeouts).await?;
    session.require_writable().await?;
    if found == Some(Found::Unmarked) && is_empty(&mut session).await? {
        // The user ran `createdb`, or an earlier command was killed between creating the database and marking it.
        database::mark(&mut conn, server.database(), setup.environment.as_deref().unwrap_or(DEVELOPMENT))
            .await?;
    }
    migrating::run(&mut session, project, &Target::Latest, steps).await?;
    seed_step(&mut session, project, steps).await?;
    session.close().await;
    Ok(())
}

/// Checks that this role may create a database, before the existing one is dropped.
pub(crate) async fn may_create(server: &Server, project: &Project) -> anyhow::Result<()> {
    let mut conn = session::maintenance(server).await?;
    session::version_of(&conn, &project.postgres)?;
    let allowed: bool =
        sqlx::query_scalar("select rolcreatedb or rolsuper from pg_roles where rolname = current_user")
            .fetch_one(&mut conn)
            .await
            .map_err(Error::database("read the rights of the role"))?;
    if !allowed {
        anyhow::bail!(
            "role `{role}` may not create databases, so nothing was touched\n  allow it, as a superuser: alter role {role} createdb",
            role = server.options.get_username()
        );
    }
    Ok(())
}

/// Creates the database unless it exists. Returns what existed before.
async fn create(
    conn: &mut PgConnection,
    server: &Server,
    environment: Option<&str>,
    steps: &mut Steps,
) -> anyhow::Result<Option<Found>> {
    let name = server.database();
    let mut found = database::read_marker(conn, name).await?;
    if found == Found::Absent {
        database::require_writable(conn, name).await?;
        steps.doing("database", name);
        let (created, elapsed) =
            timed(database::create(conn, name, environment.unwrap_or(DEVELOPMENT))).await;
        match created {
            Ok(()) => {
                steps.done("database", name, "created", Some(elapsed));
                return Ok(None);
            }
            // Another command was quicker.
            Err(error) if is_duplicate(&error) => found = database::read_marker(conn, name).await?,
            Err(error) => return Err(error.into()),
        }
    }
    steps.done("database", name, "kept", None);
    if let (Some(wanted), Found::Marked(marker)) = (environment, &found)
        && marker.environment != wanted
    {
        steps.note(&format!(
            "           it has been marked `{}` since its creation, and stays so",
            marker.environment
        ));
    }
    Ok(Some(found))
}

fn is_duplicate(error: &migrations::Error) -> bool {
    let migrations::Error::Database { source, .. } = error else { return false };
    // Postgres returns either code, depending on how close the race was.
    ["42P04", "23505"].iter().any(|code| sqlstate::is(source, code))
}

/// Whether it holds nothing, not even a ledger, and no extension was added, which may have tables with rows.
async fn is_empty(session: &mut Session) -> anyhow::Result<bool> {
    let schema = migrations::schema::read(session.connection(), &[]).await?;
    let given = |address: &Address| match address.kind {
        Kind::Extension => address.name == "plpgsql",
        kind => matches!(kind, Kind::Database | Kind::Schema),
    };
    Ok(schema.objects().all(|object| given(&object.address)))
}

async fn seed_step(session: &mut Session, project: &Project, steps: &mut Steps) -> anyhow::Result<()> {
    steps.doing("seed", "running");
    let (report, elapsed) = timed(seeding::run(session, project, SeedMode::Write, Prune::No, steps)).await;
    let report = report?;
    steps.done("seed", &seeding::summary(&report), "", Some(elapsed));
    Ok(())
}
