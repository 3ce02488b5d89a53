//! The throwaway database on which the proofs run. They may spoil it, and then build it again.

use catalogue::Catalogue;
use migrations::{Error, Migration, Project, Report, Session, Settings, Step, Target, schema::Reader};
use sqlx::postgres::PgConnectOptions;
use tests::scratch::Scratch;

pub(super) struct Ground<'p> {
    pub(super) session: Session,
    pub(super) project: &'p Project,
    scratch: &'p mut Scratch,
    /// Reads again only what has changed.
    reader: Option<Reader>,
}

/// How one migration ran.
pub(super) enum Ran {
    Well,
    /// Its file failed; the error, line by line.
    Failed(Vec<String>),
}

impl<'p> Ground<'p> {
    pub(super) async fn new(scratch: &'p mut Scratch, project: &'p Project) -> anyhow::Result<Ground<'p>> {
        let session = Session::connect(&scratch.options(), Settings::default()).await?;
        Ok(Ground { session, project, scratch, reader: None })
    }

    /// How to connect to it.
    pub(super) fn options(&self) -> PgConnectOptions {
        self.scratch.options()
    }

    pub(super) async fn catalogue(&mut self) -> anyhow::Result<Catalogue> {
        let reader = match &mut self.reader {
            Some(reader) => reader,
            none => none.insert(Reader::connect(&self.scratch.options(), &self.project.left_out()).await?),
        };
        Ok(reader.read().await?)
    }

    /// Applies a migration, and whatever it needs.
    pub(super) async fn up(&mut self, migration: &Migration) -> Result<(), Error> {
        self.migrate(&Target::Migration(migration.id.clone())).await
    }

    /// Applies migrations in this order, which has to be the order of all.
    pub(super) async fn apply(&mut self, migrations: &[Migration]) -> Result<(), Error> {
        self.steps(&migrations.iter().map(Step::up).collect::<Vec<_>>()).await
    }

    /// Reverts a migration, the last one of its app.
    pub(super) async fn down(&mut self, migration: &Migration) -> Result<(), Error> {
        let target = Target::before(self.project, &migration.id);
        self.migrate(&target).await
    }

    pub(super) async fn migrate(&mut self, target: &Target) -> Result<(), Error> {
        self.session.migrate(self.project, target, &mut |_| {}).await.map(drop)
    }

    /// Runs these steps in this order.
    pub(super) async fn steps(&mut self, steps: &[Step<'_>]) -> Result<(), Error> {
        self.session.run_steps(self.project, steps, async |_, _| Ok(())).await
    }

    /// Begins again on an empty database, with these migrations applied.
    pub(super) async fn rebuild(&mut self, applied: &[Migration]) -> anyhow::Result<()> {
        self.reader = None;
        self.scratch.empty().await?;
        self.session = Session::connect(&self.scratch.options(), Settings::default()).await?;
        Ok(self.apply(applied).await?)
    }
}

/// Separates the failure of a migration's own file from other errors, such as a lost connection.
pub(super) fn ran(result: Result<(), Error>) -> Result<Ran, Error> {
    match result {
        Ok(()) => Ok(Ran::Well),
        Err(error @ (Error::Failed(_) | Error::BrokeOff { .. } | Error::InvalidIndex { .. })) => {
            Ok(Ran::Failed(Report::new(&error).to_string().lines().map(str::to_owned).collect()))
        }
        Err(error) => Err(error),
    }
}
