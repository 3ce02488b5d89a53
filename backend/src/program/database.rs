//! The connection to the database that DATABASE_URL names.

use std::env;

use anyhow::Context;
use backend::users::ADMIN;
use migrations::{Access, Project, Session, Settings};

use super::{
    called::{name, seeding},
    exit::Stop,
    output::line,
};

/// Names the database that the next lines are about, if there are several.
pub(crate) fn announce(project: &Project, main: &Project) -> anyhow::Result<()> {
    if main.others.is_empty() { Ok(()) } else { line(&format!("database {}", project.postgres.database)) }
}

/// Connects to the database of a project on the server that DATABASE_URL names.
pub(crate) async fn open(project: &Project, access: Access) -> anyhow::Result<Session> {
    let url = env::var("DATABASE_URL").context("DATABASE_URL is not set; it has to name the database")?;
    let options =
        migrations::database::options(&url).context("DATABASE_URL is not a connection string of Postgres")?;
    let options = project.postgres.on_server(options);
    let settings = Settings::default().access(access).application_name(name());
    Ok(Session::connect(&options, settings).await?)
}

/// Connects to the database and requires what accounts need: every migration, and the role of administrators.
pub(crate) async fn open_for_accounts() -> anyhow::Result<Session> {
    let project = backend::migrations()?;
    let mut session = open(&project, Access::Write).await?;
    session.require_writable().await?;
    let ledger = session.ledger(&project).await?;
    if let [first, rest @ ..] = ledger.pending(&project).as_slice() {
        let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
        let why = format!(
            "the database is behind this program: {}{more} pending; nothing was written\n  apply them: {} migrate",
            first.id,
            name()
        );
        return Err(Stop::Behind(why).into());
    }
    let admins =
        sqlx::query_scalar!(r#"select exists (select from roles where name = $1) as "there!""#, ADMIN);
    if !admins.fetch_one(session.connection()).await.context("look for the role of administrators")? {
        let why = format!(
            "the database has no role `{ADMIN}`: its reference data is missing; nothing was written\n  write them: {}",
            seeding()
        );
        return Err(Stop::Behind(why).into());
    }
    Ok(session)
}
