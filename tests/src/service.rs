//! The service that lends databases to tests, so that a test pays for one connection only, and takes them back.
//!
//! A tool runs one for each server (`cargo xtask server host`); tests need nothing of this module. A test holds its database
//! for as long as its connection to the service is open. The service holds a lock on the server for as long as it lives, so
//! after a kill the next one recognises what was left.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use sqlx::{PgConnection, postgres::PgConnectOptions};
use tests_client::{Answer, Content, Recipe, Request, Usage};
use tokio::{
    net::{UnixListener, UnixStream},
    sync::{Mutex as AsyncMutex, Notify, OwnedSemaphorePermit, Semaphore, watch},
    time::{sleep, timeout},
};

use crate::{
    database::CONNECTIONS,
    line::Line,
    owner::{self, Owner, Purpose, maintenance},
    scratch,
    stats::Stats,
    stock::{Stock, lock},
    sweep,
    template::Template,
};

pub use crate::{
    borrowed::{Borrowed, end, is_gone, report},
    outcome::outcome,
    stock::Tenancy,
};
pub use tests_client::{Report, SERVER, SERVICE, Sockets, manifest, manifest_folder};

/// How many connections the service needs beside the ones that make databases: the owner's lock, a template, marks, removals.
const OVERHEAD: u32 = 6;
/// An owner whose connection to the server broke gets it back within so long; only then are its databases abandoned.
const ABANDONED: Duration = Duration::from_secs(300);
/// How long to wait for the first client.
const FOR_THE_FIRST: Duration = Duration::from_secs(60);

/// The service of one server.
pub struct Service {
    stock: Arc<Stock>,
    tenancy: Tenancy,
    /// By template, the database that all tests in transactions share.
    shared: AsyncMutex<HashMap<String, String>>,
    /// One permit for each connection of a test.
    slots: Arc<Semaphore>,
    /// How many permits there were at first.
    connections: u32,
    stats: Mutex<Stats>,
    clients: watch::Sender<usize>,
    lifetime: Mutex<Lifetime>,
    patience: Duration,
    /// A client has ended the service, or the server is gone.
    ended: Arc<Notify>,
}

/// How long a service lives, and how long tests wait for it. Change what differs from the default.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Lifetime {
    /// How long it stays after the last client has left.
    pub unused: Duration,
    /// How long it stays if databases of failed tests are there to be looked at.
    pub kept: Duration,
    /// How long a test waits until others give back connections.
    pub patience: Duration,
    /// Whether others have databases on the server.
    pub tenancy: Tenancy,
    /// Whether the program that started it will end it.
    pub starter: Starter,
}

/// The program that started a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Starter {
    /// It is there, and will end the service; until then the service stays.
    Present,
    /// It has left, so the service ends when it is unused.
    Absent,
}

impl Default for Lifetime {
    /// 5 minutes unused, 30 with databases of failed tests, two minutes of patience, on a server of others, on its own.
    fn default() -> Lifetime {
        Lifetime {
            unused: Duration::from_secs(5 * 60),
            kept: Duration::from_secs(30 * 60),
            patience: Duration::from_secs(120),
            tenancy: Tenancy::Shared,
            starter: Starter::Absent,
        }
    }
}

/// A client that is counted for as long as this lives, whatever ends the task that attends it.
struct Client(watch::Sender<usize>);

impl Client {
    fn new(clients: watch::Sender<usize>) -> Client {
        clients.send_modify(|clients| *clients += 1);
        Client(clients)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.0.send_modify(|clients| *clients -= 1);
    }
}

impl Service {
    /// Takes over a server for the checkout with this root: removes what dead services have left, and makes the template of
    /// the product and some clones of it.
    ///
    /// # Errors
    /// If the server does not answer, the role may not create databases, or a migration or seed fails.
    pub async fn start(
        server: PgConnectOptions,
        root: PathBuf,
        lifetime: Lifetime,
    ) -> anyhow::Result<Arc<Service>> {
        let mut conn = maintenance(&server).await?;
        let owner = Owner::new(&mut conn).await?;
        sweep::abandoned(&mut conn, ABANDONED).await?;
        let makers = std::thread::available_parallelism().map_or(4, |cores| 2 * cores.get()).clamp(4, 8);
        let makers = u32::try_from(makers).unwrap_or(8);
        let connections = connections(&mut conn, makers).await?;
        let stock = Stock::new(server, owner.clone(), root, makers, lifetime.tenancy);
        stock.template(&Recipe::new(None, Content::Seeded)).await?;
        let ended = Arc::new(Notify::new());
        tokio::spawn(owner::hold(stock.server.clone(), owner, conn, ended.clone()));
        Ok(Arc::new(Service {
            stock,
            tenancy: lifetime.tenancy,
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

    /// The program that started it leaves.
    pub fn leave_alone(&self) {
        lock(&self.lifetime).starter = Starter::Absent;
        // The time without clients counts from now on.
        self.clients.send_modify(|_| ());
    }

    /// Serves until it was unused for a while, or a client ends it.
    ///
    /// # Errors
    /// If the socket fails.
    pub async fn serve(self: &Arc<Service>, listener: UnixListener) -> anyhow::Result<()> {
        let mut patience = FOR_THE_FIRST;
        loop {
            let unused = async {
                // The sender is ours, so it is there.
                let alone = |clients: &usize| *clients == 0 && !self.is_attended();
                let _ = self.clients.subscribe().wait_for(alone).await;
                let kept = lock(&self.stats).databases_kept() > 0;
                sleep(if kept { lock(&self.lifetime).kept } else { patience }).await;
            };
            let stream = tokio::select! {
                () = unused => return Ok(()),
                () = self.ended.notified() => return Ok(()),
                accepted = listener.accept() => accepted.context("accept a client")?.0,
            };
            patience = lock(&self.lifetime).unused;
            let client = Client::new(self.clients.clone());
            let service = self.clone();
            tokio::spawn(async move {
                let _client = client;
                // A client that leaves in the middle of a line ends its loan like any other.
                let _ = service.attend(stream).await;
            });
        }
    }

    /// Removes everything but what is kept; if the server ends with us, that is not necessary.
    pub async fn end(&self) {
        if self.tenancy == Tenancy::Shared {
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
                Err(error) => Answer::Error(migrations::Report::new(error.as_ref()).to_string()),
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
            (Request::Take { recipe, usage, test }, held @ None) => {
                let began = Instant::now();
                let lent = held.insert(self.lend(recipe, usage, test).await?);
                lock(&self.stats).handed_out(began.elapsed());
                return Ok(Answer::Lent { url: scratch::url(&self.stock.server, &lent.name) });
            }
            (Request::Take { .. }, Some(_)) => bail!("one connection is one loan"),
            (Request::Keep, Some(held)) if held.usage == Usage::Own => {
                self.stock.mark(&held.name, &Purpose::Kept(held.test.clone())).await?;
                held.after = After::Keep;
                lock(&self.stats).keep();
            }
            // Now rather than when the connection ends: the next request may come before we hear of that.
            (Request::Cleaned, held @ Some(_)) => {
                if let Some(held) = held.take() {
                    self.take_back(Held { after: After::Lend, ..held });
                }
            }
            (Request::Spoilt, Some(held)) => {
                let mut shared = self.shared.lock().await;
                shared.retain(|_, name| *name != held.name);
                // Other tests may be in it, so it is removed with the rest at the end. No template has its name.
                shared.insert(held.name.clone(), held.name.clone());
            }
            (Request::Report, _) => {
                let server = scratch::url(&self.stock.server, "postgres");
                return Ok(Answer::Report(lock(&self.stats).report(server)));
            }
            (Request::End, _) if *self.clients.borrow() > 1 || self.is_attended() => {
                bail!("it is in use")
            }
            (Request::End, _) => self.ended.notify_one(),
            (Request::Keep | Request::Cleaned | Request::Spoilt, _) => {}
        }
        Ok(Answer::Done)
    }

    fn is_attended(&self) -> bool {
        lock(&self.lifetime).starter == Starter::Present
    }

    async fn lend(&self, recipe: Recipe, usage: Usage, test: String) -> anyhow::Result<Held> {
        let slot = self.slot(if usage == Usage::Own { CONNECTIONS } else { 1 }).await?;
        let template = self.stock.template(&recipe).await?;
        let name = match usage {
            Usage::Own => self.stock.take(&recipe, &template).await?,
            Usage::Transaction => {
                let mut shared = self.shared.lock().await;
                match shared.get(&template.name) {
                    Some(name) => name.clone(),
                    None => {
                        let name = self.stock.take(&recipe, &template).await?;
                        shared.insert(template.name.clone(), name.clone());
                        name
                    }
                }
            }
        };
        Ok(Held {
            recipe,
            template,
            name,
            usage,
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
        lock(&self.stats).given_back(held.test, held.since.elapsed());
        match (held.usage, held.after) {
            (Usage::Transaction, _) | (_, After::Keep) => {}
            (Usage::Own, After::Remove) => self.stock.remove(held.name),
            (Usage::Own, After::Lend) => self.stock.put_back(&held.recipe, &held.template, held.name),
        }
    }
}

/// A loan.
struct Held {
    recipe: Recipe,
    template: Template,
    name: String,
    usage: Usage,
    test: String,
    since: Instant,
    after: After,
    _slot: OwnedSemaphorePermit,
}

/// What happens to a database at the end of its loan.
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
            "the test server has {free} connections left, and {} are needed: {ours} to make databases, {CONNECTIONS} for a test\n  \
             raise its max_connections, or end the sessions that hold them: select * from pg_stat_activity",
            ours + CONNECTIONS
        ),
    }
}
