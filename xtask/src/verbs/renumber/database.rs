//! The development database, which may have applied what gets a new number: looks at it, and lets its ledger follow.

use anyhow::Context;
use migrations::{
    Error, Event, Ledger, Migration, MigrationId, Project, Renumbering, Session, Settings, Step,
    database::Found,
};
use sqlx::PgConnection;
use tests::scratch::Scratch;

use crate::{
    checkout::Checkout,
    database::{
        differences::{self, MADE},
        migrating,
        safety::{self, Destruction},
        schema,
        session::{self, Timeouts, on_server},
    },
    files::edits::Tentative,
    server::{self, Server},
    terminal::{exit::Stop, interrupt::or_interrupted, output::Steps},
    throwaway::test_server::TestServer,
    verbs::renumber::{plan::Plan, rows::followers},
};

/// What is left if the ledger can't follow, and loses the database's rows.
const WITHOUT_ROWS: &str =
    "without its rows: cargo xtask db-drop && cargo xtask renumber && cargo xtask db-setup";

/// What the development database has to do with the plan.
pub(super) enum Looked<'p> {
    At(Box<Database<'p>>),
    /// No database could be read, for this reason.
    Nowhere(String),
}

/// A database, and how its ledger follows the files.
pub(super) struct Database<'p> {
    pub(super) server: Server,
    found: Found,
    pub(super) renumbering: Renumbering<'p>,
}

/// Reads the ledger of the development database, if its server answers. Refuses if the ledger can't follow.
pub(super) async fn look<'p>(checkout: &Checkout, plan: &'p Plan) -> anyhow::Result<Looked<'p>> {
    let Some(project) = &plan.project else {
        return Ok(Looked::Nowhere("the files are not in order yet".to_owned()));
    };
    let looking = async {
        let server = or_interrupted(server::start_existing(checkout, &project.postgres)).await?;
        let read = on_server(&server, async {
            let mut session = session::open_read_only(&server, project).await?;
            let read = (session.ledger(project).await?, session.found().await?);
            session.close().await;
            Ok(read)
        });
        let (ledger, found) = read.await?;
        anyhow::Ok((server, ledger, found))
    };
    match looking.await {
        Ok((server, ledger, found)) => {
            let renumbering = follow(server.database(), plan, project, &ledger)?;
            Ok(Looked::At(Box::new(Database { server, found, renumbering })))
        }
        Err(error) if matches!(error.downcast_ref(), Some(Stop::Interrupted)) => Err(error),
        Err(error) => Ok(Looked::Nowhere(error.to_string().lines().next().unwrap_or_default().to_owned())),
    }
}

/// How the ledger follows the files; refuses if it can't.
fn follow<'p>(
    database: &str,
    plan: &Plan,
    project: &'p Project,
    ledger: &Ledger,
) -> anyhow::Result<Renumbering<'p>> {
    let followers = followers(project, ledger, &plan.moves);
    let edited = followers.edited.iter().filter(|id| plan.moves.iter().any(|moved| moved.from == **id));
    let edited: Vec<&MigrationId> = edited.collect();
    if !edited.is_empty() {
        return Err(cannot_follow(database, &format!("edited since it applied them: {}", names(edited))));
    }
    if followers.rows.is_empty() {
        return Ok(Renumbering::default());
    }
    let renumbering = match Renumbering::new(project, ledger, followers.rows) {
        Err(Error::Ledger(problems)) => {
            let lines: Vec<String> = problems.iter().map(|problem| format!("\n  {problem}")).collect();
            return Err(cannot_follow(database, &format!("it contradicts the files{}", lines.concat())));
        }
        renumbering => renumbering?,
    };
    let not_here = |it: &&Migration| it.up.no_transaction || it.up.is_empty();
    let late = renumbering.late.iter().copied().filter(not_here).map(|migration| &migration.id);
    let late: Vec<&MigrationId> = late.collect();
    if late.is_empty() {
        return Ok(renumbering);
    }
    let why = "these come before migrations that it has applied, and can't run in the transaction that moves its rows";
    Err(cannot_follow(database, &format!("{why}: {}", names(late))))
}

fn names<'i>(ids: impl IntoIterator<Item = &'i MigrationId>) -> String {
    ids.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn cannot_follow(database: &str, why: &str) -> anyhow::Error {
    Stop::Refused(format!(
        "the ledger of database `{database}` can't follow; nothing was touched\n  {why}\n  {WITHOUT_ROWS}"
    ))
    .into()
}

impl Database<'_> {
    /// Refuses to change a database that might matter, unless the user confirmed its name.
    pub(super) fn may_change(&self, confirmed: Option<&str>) -> anyhow::Result<()> {
        let target = self.server.database();
        let what = "renumber would rewrite its ledger; nothing was touched";
        let again = safety::again("renumber", target);
        Destruction { target, what, confirmed, again }.check(&self.server.options, &self.found)
    }

    /// Moves the rows, applies what comes before them now, and changes the files: all of it, or nothing.
    pub(super) async fn change(
        &self,
        checkout: &Checkout,
        plan: &Plan,
        project: &Project,
        timeouts: Timeouts,
    ) -> anyhow::Result<()> {
        if self.renumbering.late.is_empty() {
            return on_server(&self.server, self.change_proven(plan, project, timeouts, None)).await;
        }
        let mut steps = Steps::silent();
        TestServer::with_scratch(checkout, project, &mut steps, async |scratch, _| {
            on_server(&self.server, self.change_proven(plan, project, timeouts, Some(scratch))).await
        })
        .await
    }

    /// The same, with a throwaway database for the proof that the order of the migrations makes no difference.
    async fn change_proven(
        &self,
        plan: &Plan,
        project: &Project,
        timeouts: Timeouts,
        scratch: Option<&mut Scratch>,
    ) -> anyhow::Result<()> {
        let mut steps = Steps::quiet();
        // Until the transaction is committed, any other end undoes the edits, an interruption too. After a kill between the
        // two, the next run finds the rows that have not followed.
        let mut edits = None;
        let mut session = session::open(&self.server, project, timeouts).await?;
        let mut report = |event: Event<'_>| {
            if !matches!(event, Event::Started { .. } | Event::Done { .. }) {
                migrating::report(&mut steps, &event);
            }
        };
        let rows = |ledger: &Ledger| followers(project, ledger, &plan.moves).rows;
        let before_commit = async |conn: &mut PgConnection, ledger: &Ledger| {
            if let Some(scratch) = scratch {
                prove(conn, self.server.database(), scratch, project, ledger).await?;
            }
            edits = Some(Tentative::apply(&plan.edits)?);
            anyhow::Ok(())
        };
        session.renumber(project, &mut report, rows, before_commit).await?;
        if let Some(edits) = edits {
            edits.keep();
        }
        session.close().await;
        Ok(())
    }
}

/// Makes sure that the schema is what the migrations make in their new order.
async fn prove(
    conn: &mut PgConnection,
    database: &str,
    scratch: &Scratch,
    project: &Project,
    ledger: &Ledger,
) -> anyhow::Result<()> {
    let mut model = Session::connect(&scratch.options(), Settings::default()).await?;
    let steps: Vec<Step<'_>> = ledger.applied_in(project).into_iter().map(Step::up).collect();
    let applied = model.run_steps(project, &steps, async |_, _| Ok::<(), Error>(())).await;
    applied.context("on a throwaway database")?;
    let expected = schema::read(model.connection(), project).await?;
    model.close().await;
    let found = schema::read_within(conn, project).await?;
    let differences = differences::from_database(&expected, &found);
    if differences.is_empty() {
        return Ok(());
    }
    let lines = differences::lines(&expected, &found, &differences, MADE);
    Err(Stop::Unfit(format!(
        "database `{database}` would not be what the files make in their new order; nothing was touched\n  {}\n  {WITHOUT_ROWS}",
        lines.join("\n  ")
    ))
    .into())
}
