//! `cargo xtask adopt`: records migrations in the ledger whose effects the database already has, without running them.
//!
//! To prove that, it applies the migrations to a throwaway database and compares the two catalogues. If they are equal, the
//! database has everything that the migrations make.

mod judging;
mod verdict;

use clap::Args as ClapArgs;
use migrations::{Ledger, MigrationId, Project, Session, Settings, Target};
use sqlx::PgConnection;
use tests::scratch::Scratch;

use crate::{
    checkout::Checkout,
    database::{
        migrating, schema,
        session::{self, Timeouts, on_server},
    },
    server::{self, Server},
    terminal::{exit::Stop, format::Format, interrupt::or_interrupted, output::Steps},
    throwaway::test_server::TestServer,
    verbs::adopt::{
        judging::{judge, lost, pending},
        verdict::{Verdict, report},
    },
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask adopt             as many pending migrations as the database proves to have
  cargo xtask adopt APP         the same for one app, and what it needs from others
  cargo xtask adopt APP 0002    exactly to that migration, and what it needs

It builds the applied and the pending migrations on a throwaway database, and records a migration only if the catalogues of the two databases are equal: every object with all its attributes, names of constraints, owners and rights. Only the order of columns may differ.

If another table is a ledger of sqlx and has recorded them, it records what that one says, without a comparison. A row belongs to the file whose text ran, and else to the one with its number.

It does not compare rows. A migration that only changes rows leaves no trace in the catalogue: it is adopted if a later one is proven or if you name it, and the report says so. To check the seeds: cargo xtask seed --check.

Exit codes: 3 the database differs, the lines say where, and nothing was recorded; 5 timed out waiting for another migration.")]
pub(crate) struct Args {
    /// Adopt only this app, and what it needs from others
    app: Option<String>,
    /// Adopt exactly to this migration; its number is enough
    name: Option<String>,
    #[command(flatten)]
    timeouts: Timeouts,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let project = checkout.project()?;
        let target = migrating::target(&project, self.app.as_deref(), self.name.as_deref())?;
        if let Target::Zero(app) = target {
            let why =
                format!("adopt only adds to the ledger\n  to revert `{app}`: cargo xtask migrate {app} zero");
            return Err(Stop::Usage(why).into());
        }
        let server = or_interrupted(server::start_existing(checkout, &project.postgres)).await?;
        let mut steps = Steps::new(self.format);
        let anything = on_server(&server, async {
            let mut session = session::open_read_only(&server, &project).await?;
            let ledger = session.ledger(&project).await?;
            session.close().await;
            Ok(!ledger.recorded_elsewhere(&project).is_empty()
                || !lost(&project, &ledger).is_empty()
                || !pending(&project, &ledger, &target)?.is_empty())
        });
        if !anything.await? {
            return report(&project, &Verdict::default(), &mut steps);
        }
        let verdict = on_server(&server, self.adopt_recorded(&server, &project, &mut steps)).await?;
        if !verdict.adopted.is_empty() {
            return report(&project, &verdict, &mut steps);
        }
        let adopt = async |scratch: &mut Scratch, steps: &mut Steps| {
            on_server(&server, self.adopt(&server, scratch, &project, &target, steps)).await
        };
        let verdict = TestServer::with_scratch(checkout, &project, &mut steps, adopt).await?;
        report(&project, &verdict, &mut steps)
    }

    /// Records what ledgers in other tables say. They are a record of what ran, so nothing has to be proven.
    async fn adopt_recorded(
        &self,
        server: &Server,
        project: &Project,
        steps: &mut Steps,
    ) -> anyhow::Result<Verdict> {
        let mut session = session::open(server, project, self.timeouts).await?;
        let mut verdict = Verdict::default();
        let read = async |_: &mut PgConnection, ledger: &Ledger| {
            for (table, migrations) in ledger.recorded_elsewhere(project) {
                let new = migrations.into_iter().map(|it| it.id.clone());
                let new: Vec<MigrationId> = new.filter(|id| !verdict.adopted.contains(id)).collect();
                verdict.adopted.extend(new);
                verdict.ledgers.push(table.to_owned());
            }
            anyhow::Ok(verdict.adopted.clone())
        };
        session.adopt(project, &mut |event| migrating::report(steps, &event), read).await?;
        session.close().await;
        Ok(verdict)
    }

    async fn adopt(
        &self,
        server: &Server,
        scratch: &mut Scratch,
        project: &Project,
        target: &Target,
        steps: &mut Steps,
    ) -> anyhow::Result<Verdict> {
        let mut session = session::open(server, project, self.timeouts).await?;
        let mut model = Session::connect(&scratch.options(), Settings::default()).await?;
        let mut verdict = Verdict::default();
        steps.doing("adopt", "building the schema on a throwaway database");
        let prove = async |conn: &mut PgConnection, ledger: &Ledger| {
            let found;
            (verdict, found) = judge(conn, &mut model, scratch, project, ledger, target).await?;
            // A change of the schema by hand takes no migration lock, and building takes a while.
            if schema::read(conn, project).await? != found {
                let why = "the schema changed meanwhile; nothing was recorded\n  run the same command again";
                return Err(Stop::Unfit(why.to_owned()).into());
            }
            anyhow::Ok(verdict.adopted.clone())
        };
        session.adopt(project, &mut |event| migrating::report(steps, &event), prove).await?;
        model.close().await;
        session.close().await;
        Ok(verdict)
    }
}
