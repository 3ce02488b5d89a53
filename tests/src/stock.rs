//! Makes clones before tests ask for them, and removes those that are no longer needed.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, bail};
use migrations::Report;
use sqlx::{
    PgPool,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tests_client::{Content, Recipe};
use tokio::{
    sync::{Mutex as AsyncMutex, Notify, mpsc, oneshot, watch},
    time::timeout,
};

use crate::{
    owner::{Owner, Purpose, maintenance},
    scratch,
    shelf::{Shelf, Stocked},
    sources::{Freshness, Sources},
    statements,
    template::{self, Template},
};

/// How long to wait for one of our connections: no work on them takes so long.
const FOR_A_CONNECTION: Duration = Duration::from_secs(10);
/// How long the removal of the clones may take at the end.
const TO_END: Duration = Duration::from_secs(30);

type Worker = PoolConnection<sqlx::Postgres>;

/// Whether others have databases on the server too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tenancy {
    /// The server lives and ends with the service, and so do all databases on it; its `template1` is the service's to change.
    Sole,
    /// The server was there before, and stays.
    Shared,
}

pub(crate) struct Stock {
    pub(crate) server: PgConnectOptions,
    owner: Owner,
    sources: Sources,
    /// Makes, marks and removes databases.
    workers: PgPool,
    /// Templates are built one at a time.
    building: AsyncMutex<()>,
    shelves: Mutex<HashMap<Recipe, Shelf>>,
    /// Wakes those that make databases.
    wanted: Notify,
    /// How many of each are made ahead at most.
    most: usize,
    janitor: mpsc::UnboundedSender<String>,
    /// How many databases are still to be removed.
    removing: watch::Sender<usize>,
    tenancy: Tenancy,
}

impl Stock {
    pub(crate) fn new(
        server: PgConnectOptions,
        owner: Owner,
        root: PathBuf,
        makers: u32,
        tenancy: Tenancy,
    ) -> Arc<Stock> {
        let workers = PgPoolOptions::new()
            .max_connections(makers + 2)
            .acquire_timeout(FOR_A_CONNECTION)
            .connect_lazy_with(server.clone().database("postgres").application_name("scratch databases"));
        let (janitor, to_remove) = mpsc::unbounded_channel();
        let stock = Arc::new(Stock {
            server,
            owner,
            sources: Sources::new(root),
            workers,
            building: AsyncMutex::default(),
            shelves: Mutex::default(),
            wanted: Notify::new(),
            most: (2 * makers as usize).max(8),
            janitor,
            removing: watch::Sender::new(0),
            tenancy,
        });
        for _ in 0..makers {
            tokio::spawn(stock.clone().make());
        }
        tokio::spawn(stock.clone().clean_up(to_remove));
        stock
    }

    /// Returns the template of a recipe, built from the current files.
    pub(crate) async fn template(&self, recipe: &Recipe) -> anyhow::Result<Template> {
        let (project, freshness) = self.sources.project(recipe)?;
        if freshness == Freshness::Changed {
            let outdated = |other: &Recipe, _: &mut Shelf| other.project == recipe.project;
            for (_, mut shelf) in lock(&self.shelves).extract_if(outdated) {
                shelf.clear().for_each(|name| self.remove(name));
            }
        }
        if let Some(shelf) = lock(&self.shelves).get(recipe) {
            return Ok(shelf.template.clone());
        }
        let _one_at_a_time = self.building.lock().await;
        if let Some(shelf) = lock(&self.shelves).get(recipe) {
            return Ok(shelf.template.clone());
        }
        let mut conn = self.connection().await?;
        let template = template::ensure(&mut conn, &self.server, &self.owner, &project, recipe).await?;
        if let (Content::Seeded, None, None, Tenancy::Sole) =
            (&recipe.content, &recipe.project, &recipe.database, self.tenancy)
        {
            template::make_default(&mut conn, &template.name).await?;
        }
        let stocked = if recipe.recyclable { Stocked::OnDemand } else { Stocked::Ahead };
        lock(&self.shelves).insert(recipe.clone(), Shelf::new(template.clone(), stocked));
        self.wanted.notify_waiters();
        Ok(template)
    }

    /// Takes a clone of that template, made ahead or now.
    pub(crate) async fn take(&self, recipe: &Recipe, template: &Template) -> anyhow::Result<String> {
        let (sender, receiver) = oneshot::channel();
        match lock(&self.shelves).get_mut(recipe) {
            Some(shelf) if shelf.template == *template => shelf.take(sender),
            _ => bail!("the migrations have changed just now\n  run the test again"),
        }
        self.wanted.notify_waiters();
        receiver
            .await
            .context("the migrations have changed just now\n  run the test again")?
            .map_err(anyhow::Error::msg)
    }

    /// Takes back one that was cleaned, for the next test.
    pub(crate) fn put_back(&self, recipe: &Recipe, template: &Template, name: String) {
        match lock(&self.shelves).get_mut(recipe) {
            Some(shelf) if shelf.template == *template => shelf.put(Ok(name)),
            // The migrations have changed meanwhile.
            _ => self.remove(name),
        }
    }

    pub(crate) async fn mark(&self, name: &str, purpose: &Purpose) -> anyhow::Result<()> {
        self.owner.mark(&mut *self.connection().await?, name, purpose).await
    }

    pub(crate) fn remove(&self, name: String) {
        self.removing.send_modify(|removing| *removing += 1);
        // The janitor lives as long as we do.
        let _ = self.janitor.send(name);
    }

    /// Removes everything that is not lent.
    pub(crate) async fn end(&self) {
        for (_, mut shelf) in lock(&self.shelves).drain() {
            shelf.clear().for_each(|name| self.remove(name));
        }
        let removed = async {
            // Each removal would wait for a server that has ended.
            if maintenance(&self.server).await.is_ok() {
                let _ = self.removing.subscribe().wait_for(|removing| *removing == 0).await;
            }
        };
        // The next service sweeps what can't be removed in time.
        let _ = timeout(TO_END, removed).await;
    }

    /// Makes databases, first for tests that wait.
    async fn make(self: Arc<Stock>) {
        // Kept from one to the next, because the pool sends two queries each time that it lends and gets back a connection.
        let mut conn = None;
        loop {
            let notified = self.wanted.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            let Some((recipe, template)) = self.next() else {
                conn = None;
                notified.await;
                continue;
            };
            let made = self
                .clone_of(&template, &mut conn)
                .await
                .map_err(|error| Report::new(error.as_ref()).to_string());
            if made.is_err() {
                conn = None;
            }
            match lock(&self.shelves).get_mut(&recipe) {
                Some(shelf) if shelf.template == template => shelf.finish(made),
                // The migrations have changed meanwhile.
                _ => drop(made.map(|name| self.remove(name))),
            }
        }
    }

    fn next(&self) -> Option<(Recipe, Template)> {
        let mut shelves = lock(&self.shelves);
        let wanted = shelves.iter().find(|(_, shelf)| shelf.is_wanted());
        let next = wanted.or_else(|| shelves.iter().find(|(_, shelf)| shelf.has_room(self.most)));
        let recipe = next.map(|(recipe, _)| recipe.clone())?;
        let shelf = shelves.get_mut(&recipe)?;
        shelf.begin();
        Some((recipe, shelf.template.clone()))
    }

    async fn clone_of(&self, template: &Template, conn: &mut Option<Worker>) -> anyhow::Result<String> {
        let conn = match conn {
            Some(conn) => conn,
            None => conn.insert(self.connection().await?),
        };
        scratch::create(conn, &self.owner, template).await
    }

    async fn connection(&self) -> anyhow::Result<Worker> {
        match self.workers.acquire().await {
            Ok(conn) => Ok(conn),
            // A pool does not say why.
            Err(error) => Err(maintenance(&self.server).await.err().unwrap_or(error.into())),
        }
    }

    async fn clean_up(self: Arc<Stock>, mut to_remove: mpsc::UnboundedReceiver<String>) {
        let mut conn = None;
        while let Some(name) = to_remove.recv().await {
            if conn.is_none() {
                conn = self.connection().await.ok();
            }
            // The next service sweeps what can't be removed now.
            let removed = match &mut conn {
                Some(conn) => statements::discard(conn, &name).await.is_ok(),
                None => false,
            };
            if !removed || to_remove.is_empty() {
                conn = None;
            }
            self.removing.send_modify(|removing| *removing -= 1);
        }
    }
}

/// Locks, also after a panic: no work under these locks can panic halfway.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
