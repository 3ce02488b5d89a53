//! Lends databases to tests, so that a test pays for one connection only, and takes them back.
//!
//! It runs in one process a server (`cargo xtask server host`). Who holds a database is known by an open connection; what
//! is left when this process is killed is known, on the server, by the lock that it held there.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use migrations::Report;
use sqlx::{PgConnection, postgres::PgConnectOptions};
use tokio::{
    net::{UnixListener, UnixStream},
    sync::{Mutex as AsyncMutex, Notify, OwnedSemaphorePermit, Semaphore, watch},
    time::{sleep, timeout},
};

use crate::{
    content::{Content, Recipe},
    owner::{self, Owner, Purpose, maintenance},
    protocol::{Answer, Line, Loan, Request},
    run::CONNECTIONS,
    scratch,
    stats::Stats,
    stock::{Stock, lock},
    sweep,
};

/// Connections of the service's own beside those that make databases: the owner's lock, a template, marks, removals.
const OVERHEAD: u32 = 6;
/// What was left by others may still be wanted by somebody whose connection to the server broke.
const ABANDONED: Duration = Duration::from_secs(300);
/// For the first client to come.
const FOR_THE_FIRST: Duration = Duration::from_secs(60);

/// The service of one server.
pub struct Service {
    stock: Arc<Stock>,
    whole_server: bool,
    /// By template, the databases that are shared by all tests in transactions.
    shared: AsyncMutex<HashMap<String, String>>,
    /// One permit a connection of a test.
    slots: Arc<Semaphore>,
    /// As many as there were at first.
    connections: u32,
    stats: Mutex<Stats>,
    clients: watch::Sender<usize>,
    lifetime: Mutex<Lifetime>,
    patience: Duration,
    /// We were told to go, or the server is gone.
    ended: Arc<Notify>,
}

/// How long a service lives, and how long others wait for it.
#[derive(Debug, Clone, Copy)]
pub struct Lifetime {
    /// After the last client has left.
    pub unused: Duration,
    /// The same where databases of failed tests are there to be looked at.
    pub kept: Duration,
    /// The server lives and dies with the service, and so do all databases on it.
    pub whole_server: bool,
    /// Whoever started it is still there, and will end it.
    pub attended: bool,
    /// For tests that wait until others give back connections.
    pub patience: Duration,
}

impl Service {
    /// Takes over a server: removes what dead services have left, and makes the usual template and some clones of it.
    ///
    /// # Errors
    /// Where the server does not answer, the role may not create databases, or a migration or seed fails.
    pub async fn start(
        server: PgConnectOptions,
        migrations: PathBuf,
        lifetime: Lifetime,
    ) -> anyhow::Result<Arc<Service>> {
        let mut conn = maintenance(&server).await?;
        let owner = Owner::new(&mut conn).await?;
        sweep::abandoned(&mut conn, ABANDONED).await?;
        let makers = std::thread::available_parallelism().map_or(4, |cores| 2 * cores.get()).clamp(4, 8);
        let makers = u32::try_from(makers).unwrap_or(8);
        let connections = connections(&mut conn, makers).await?;
        let stock = Stock::new(server, owner.clone(), migrations, makers, lifetime.whole_server);
        stock.template(&Recipe { content: Content::Seeded, recyclable: false }).await?;
        let ended = Arc::new(Notify::new());
        tokio::spawn(owner::hold(stock.server.clone(), owner, conn, ended.clone()));
        Ok(Arc::new(Service {
            stock,
            whole_server: lifetime.whole_server,
            shared: AsyncMutex::default(),
            slots: Arc::new(Semaphore::new(connections as usize)),
            connections,
            stats: Mutex::default(),
            clients: watch::Sender::new(0),
            lifetime: Mutex::new(lifetime),
            patience: lifetime.patience,
            ended,
        }))
    }

    /// Whoever started it leaves.
    pub fn leave_alone(&self) {
        lock(&self.lifetime).attended = false;
        // Counted from now on.
        self.clients.send_modify(|_| ());
    }

    /// Serves until nobody has used it for a while, or it is told to go.
    ///
    /// # Errors
    /// Where the socket fails.
    pub async fn serve(self: &Arc<Service>, listener: UnixListener) -> anyhow::Result<()> {
        let mut patience = FOR_THE_FIRST;
        loop {
            let unused = async {
                // The sender is ours, so it is there.
                let alone = |clients: &usize| *clients == 0 && !lock(&self.lifetime).attended;
                let _ = self.clients.subscribe().wait_for(alone).await;
                let kept = lock(&self.stats).kept() > 0;
                sleep(if kept { lock(&self.lifetime).kept } else { patience }).await;
            };
            let stream = tokio::select! {
                () = unused => return Ok(()),
                () = self.ended.notified() => return Ok(()),
                accepted = listener.accept() => accepted.context("accept a client")?.0,
            };
            patience = lock(&self.lifetime).unused;
            self.clients.send_modify(|clients| *clients += 1);
            let service = self.clone();
            tokio::spawn(async move {
                // A client that goes away in mid-sentence ends its loan like any other.
                let _ = service.attend(stream).await;
                service.clients.send_modify(|clients| *clients -= 1);
            });
        }
    }

    /// Removes everything but what is kept, unless the server goes anyway.
    pub async fn end(&self) {
        if !self.whole_server {
            for (_, name) in self.shared.lock().await.drain() {
                self.stock.remove(name);
            }
            self.stock.end().await;
        }
    }

    async fn attend(&self, stream: UnixStream) -> anyhow::Result<()> {
        let mut line = Line::new(stream);
        let mut held: Option<Held> = None;
        while let Ok(Some(request)) = line.read().await {
            let answer = match self.answer(request, &mut held).await {
                Ok(answer) => answer,
                Err(error) => Answer::Error(Report::new(error.as_ref()).to_string()),
            };
            if line.write(&answer).await.is_err() {
                break;
            }
        }
        if let Some(held) = held {
            self.take_back(held);
        }
        Ok(())
    }

    async fn answer(&self, request: Request, held: &mut Option<Held>) -> anyhow::Result<Answer> {
        match (request, held) {
            (Request::Take { recipe, loan, test }, held @ None) => {
                let began = Instant::now();
                let lent = held.insert(self.lend(recipe, loan, test).await?);
                lock(&self.stats).lent(began.elapsed());
                return Ok(Answer::Lent { url: scratch::url(&self.stock.server, &lent.name) });
            }
            (Request::Take { .. }, Some(_)) => bail!("one connection is one loan"),
            (Request::Keep, Some(held)) if held.loan == Loan::Own => {
                self.stock.mark(&held.name, &Purpose::Kept(held.test.clone())).await?;
                held.after = After::Keep;
                lock(&self.stats).keep();
            }
            // Now rather than when the connection ends: its test may ask for the next one sooner than we hear of that.
            (Request::Cleaned, held @ Some(_)) => {
                if let Some(held) = held.take() {
                    self.take_back(Held { after: After::Lend, ..held });
                }
            }
            (Request::Spoilt, Some(held)) => {
                let mut shared = self.shared.lock().await;
                shared.retain(|_, name| *name != held.name);
                // Others may be in it, so it goes with the rest at the end. No template has its name.
                shared.insert(held.name.clone(), held.name.clone());
            }
            (Request::Report, _) => {
                let server = scratch::url(&self.stock.server, "postgres");
                return Ok(Answer::Report(lock(&self.stats).report(server)));
            }
            (Request::End, _) if *self.clients.borrow() > 1 || lock(&self.lifetime).attended => {
                bail!("it is in use")
            }
            (Request::End, _) => self.ended.notify_one(),
            (Request::Keep | Request::Cleaned | Request::Spoilt, _) => {}
        }
        Ok(Answer::Done)
    }

    async fn lend(&self, recipe: Recipe, loan: Loan, test: String) -> anyhow::Result<Held> {
        let slot = self.slot(if loan == Loan::Own { CONNECTIONS } else { 1 }).await?;
        let template = self.stock.template(&recipe).await?;
        let name = match loan {
            Loan::Own => self.stock.take(&recipe, &template).await?,
            Loan::Transaction => {
                let mut shared = self.shared.lock().await;
                match shared.get(&template) {
                    Some(name) => name.clone(),
                    None => {
                        let name = self.stock.take(&recipe, &template).await?;
                        shared.insert(template.clone(), name.clone());
                        name
                    }
                }
            }
        };
        Ok(Held {
            recipe,
            template,
            name,
            loan,
            test,
            since: Instant::now(),
            after: After::Remove,
            _slot: slot,
        })
    }

    async fn slot(&self, connections: u32) -> anyhow::Result<OwnedSemaphorePermit> {
        let permit = timeout(self.patience, self.slots.clone().acquire_many_owned(connections)).await;
        let Ok(permit) = permit else {
            bail!(
                "no database became free within {} s\n  the server leaves {} connections to tests, {CONNECTIONS} each, so {} \
                 tests at a time may hold one\n  run fewer at a time, or raise its max_connections",
                self.patience.as_secs(),
                self.connections,
                self.connections / CONNECTIONS
            )
        };
        Ok(permit?)
    }

    fn take_back(&self, held: Held) {
        lock(&self.stats).held(held.test, held.since.elapsed());
        match (held.loan, held.after) {
            (Loan::Transaction, _) | (_, After::Keep) => {}
            (Loan::Own, After::Remove) => self.stock.remove(held.name),
            (Loan::Own, After::Lend) => self.stock.put_back(&held.recipe, &held.template, held.name),
        }
    }
}

/// A loan.
struct Held {
    recipe: Recipe,
    template: String,
    name: String,
    loan: Loan,
    test: String,
    since: Instant,
    after: After,
    _slot: OwnedSemaphorePermit,
}

/// What becomes of a database at the end of its loan.
enum After {
    Remove,
    Keep,
    Lend,
}

/// How many connections a server leaves to tests.
async fn connections(conn: &mut PgConnection, makers: u32) -> anyhow::Result<u32> {
    let sql = "select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int \
                      - coalesce(current_setting('reserved_connections', true)::int, 0) \
                      - (select count(*)::int from pg_stat_activity \
                         where backend_type = 'client backend' and pid <> pg_backend_pid())";
    let free: i32 = sqlx::query_scalar(sql).fetch_one(conn).await.context("ask for max_connections")?;
    let (free, ours) = (u32::try_from(free).unwrap_or(0), makers + OVERHEAD);
    match free.checked_sub(ours) {
        Some(left) if left >= CONNECTIONS => Ok(left),
        _ => bail!(
            "the test server has {free} connections left, and {} are wanted: {ours} to make databases, {CONNECTIONS} for a test\n  \
             raise its max_connections, or end who holds them: select * from pg_stat_activity",
            ours + CONNECTIONS
        ),
    }
}
