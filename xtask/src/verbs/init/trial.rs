//! Applies folders of migrations to empty databases, as sqlx does, in order to see which are an app's, in which order they
//! apply, and which tables each makes.

use std::collections::BTreeSet;

use catalogue::{Address, Catalogue, Kind, Object};
use migrations::{schema::Reader, sqlstate};
use sqlx::{
    ConnectOptions as _, Connection as _,
    migrate::{MigrateError, Migrator},
    postgres::PgConnectOptions,
};

use crate::{
    database::differences,
    terminal::{interrupt::or_interrupted, output::Steps},
    throwaway::test_server::on_scratch,
    verbs::init::{
        ledger::Ledger,
        repository::{Folder, Repository},
    },
};

/// A folder whose migrations apply.
#[derive(Debug, Clone)]
pub(super) struct Accepted {
    pub(super) folder: Folder,
    pub(super) ledger: Ledger,
    /// The tables that it makes and that are still there at its end, without those that are parts of others.
    pub(super) tables: Vec<Address>,
    /// The positions of the folders whose tables it touches.
    pub(super) needs: BTreeSet<usize>,
    /// Which of the databases it is in, counted from 0, the main one.
    pub(super) database: usize,
}

/// A folder that is no app, and why.
#[derive(Debug)]
pub(super) struct LeftOut {
    pub(super) folder: Folder,
    pub(super) why: String,
}

/// What the folders turned out to be.
#[derive(Debug, Default)]
pub(super) struct Trial {
    /// In an order in which they apply.
    pub(super) accepted: Vec<Accepted>,
    pub(super) left_out: Vec<LeftOut>,
}

impl Trial {
    /// Tries folders that people named. What does not apply with the others is tried without them: it may be for another
    /// database.
    pub(super) async fn run_named(
        repository: &Repository,
        server: &PgConnectOptions,
        folders: Vec<Folder>,
        steps: &mut Steps,
    ) -> anyhow::Result<Trial> {
        let mut all = Trial::run(repository, server, folders, steps).await?;
        for database in 1.. {
            let others = all.left_out.iter().map(|it| it.folder.clone()).collect();
            let other = Trial::run(repository, server, others, steps).await?;
            if other.accepted.is_empty() {
                break;
            }
            let before = all.accepted.len();
            all.accepted.extend(other.accepted.into_iter().map(|mut accepted| {
                accepted.needs = accepted.needs.iter().map(|at| before + at).collect();
                Accepted { database, ..accepted }
            }));
            all.left_out = other.left_out;
        }
        Ok(all)
    }

    /// Tries each folder, on top of those that applied before it, until no other one applies.
    pub(super) async fn run(
        repository: &Repository,
        server: &PgConnectOptions,
        folders: Vec<Folder>,
        steps: &mut Steps,
    ) -> anyhow::Result<Trial> {
        let mut trial = Trial::default();
        let mut waiting = Vec::new();
        for folder in folders {
            match folder.other_database() {
                Some(other) => {
                    let why = format!("its path says {other}");
                    trial.left_out.push(LeftOut { folder, why });
                }
                None => waiting.push(folder),
            }
        }
        loop {
            let (before, mut failed) = (trial.accepted.len(), Vec::new());
            for folder in waiting {
                steps.doing("migrations", &folder.path);
                match or_interrupted(trial.attempt(repository, server, &folder)).await? {
                    Ok(accepted) => trial.accepted.push(accepted),
                    Err(why) => failed.push(LeftOut { folder, why }),
                }
            }
            if failed.is_empty() || trial.accepted.len() == before {
                trial.left_out.extend(failed);
                return Ok(trial);
            }
            waiting = failed.into_iter().map(|it| it.folder).collect();
        }
    }

    /// Applies the accepted folders, and then another one. If that fails, returns why.
    async fn attempt(
        &self,
        repository: &Repository,
        server: &PgConnectOptions,
        folder: &Folder,
    ) -> anyhow::Result<Result<Accepted, String>> {
        if let Some((one, other)) = folder.twins() {
            return Ok(Err(format!("{one} and {other} have one number, and sqlx fails on the second")));
        }
        let others: Vec<&Ledger> = self.accepted.iter().map(|it| &it.ledger).collect();
        let ledger = match Ledger::new(repository, folder, &others) {
            Ok(ledger) => ledger,
            Err(why) => return Ok(Err(why)),
        };
        let all: BTreeSet<usize> = (0..self.accepted.len()).collect();
        let (before, after) = match self.apply(repository, server, &all, (folder, &ledger)).await? {
            Ok(schemas) => schemas,
            Err(why) => return Ok(Err(why)),
        };
        let tables: Vec<Address> =
            new_tables(&before, &after).into_iter().filter(|address| !ledger.owns(address)).collect();
        if differences::real(&before, &after).iter().all(|difference| ledger.owns(&difference.address)) {
            return Ok(Err("its files change nothing in an empty database".to_owned()));
        }
        let mut needs = self.touched(&before, &after);
        // Rows that it reads or writes leave no trace in the schema.
        if needs != all
            && self.apply(repository, server, &self.closed(&needs), (folder, &ledger)).await?.is_err()
        {
            needs = all;
        }
        Ok(Ok(Accepted { folder: folder.clone(), ledger, tables, needs, database: 0 }))
    }

    /// Applies these of the accepted folders to an empty database, and then another one. Returns the schema before and after
    /// that, or why it failed.
    async fn apply(
        &self,
        repository: &Repository,
        server: &PgConnectOptions,
        first: &BTreeSet<usize>,
        (folder, ledger): (&Folder, &Ledger),
    ) -> anyhow::Result<Result<(Catalogue, Catalogue), String>> {
        let accepted = first.iter().map(|&at| (&self.accepted[at].folder, &self.accepted[at].ledger));
        let accepted: Vec<(&Folder, &Ledger)> = accepted.collect();
        let ledgers: Vec<&Ledger> = accepted.iter().map(|it| it.1).chain([ledger]).collect();
        on_scratch(server, async |scratch| {
            let mut conn = scratch.options().connect().await?;
            for (folder, ledger) in accepted {
                migrator(repository, folder, ledger).await?.run(&mut conn).await?;
            }
            let before = read(&scratch.options(), &ledgers).await?;
            let done = match migrator(repository, folder, ledger).await {
                Ok(migrator) => migrator.run(&mut conn).await,
                Err(error) => Err(error),
            };
            let after = match done {
                Ok(()) => Ok((before, read(&scratch.options(), &ledgers).await?)),
                Err(error) => Err(reason(folder, &error)),
            };
            conn.close().await?;
            Ok(after)
        })
        .await
    }

    /// The accepted folders on whose tables a change is, or needs something.
    fn touched(&self, before: &Catalogue, after: &Catalogue) -> BTreeSet<usize> {
        let mut touched = BTreeSet::new();
        for difference in differences::real(before, after) {
            let objects =
                [before, after].into_iter().filter_map(|it| Some((it, it.get(&difference.address)?)));
            for (schema, object) in objects {
                let needed = object.needs.iter().map(|need| &*need.on);
                let tables = [&object.address].into_iter().chain(needed).filter_map(|it| schema.table_of(it));
                for table in tables {
                    touched.extend(self.accepted.iter().position(|it| it.tables.contains(&table.address)));
                }
            }
        }
        touched
    }

    /// The same with what these need themselves.
    fn closed(&self, needs: &BTreeSet<usize>) -> BTreeSet<usize> {
        let mut closed = needs.clone();
        // Each needs only earlier ones.
        for at in (0..self.accepted.len()).rev() {
            if closed.contains(&at) {
                closed.extend(&self.accepted[at].needs);
            }
        }
        closed
    }
}

async fn migrator(
    repository: &Repository,
    folder: &Folder,
    ledger: &Ledger,
) -> Result<Migrator, MigrateError> {
    let mut migrator = Migrator::new(repository.path(&folder.path)).await?;
    ledger.set(&mut migrator);
    Ok(migrator)
}

/// Reads the schema without these ledgers.
async fn read(options: &PgConnectOptions, ledgers: &[&Ledger]) -> anyhow::Result<Catalogue> {
    let own: Vec<&str> = ledgers.iter().filter_map(|ledger| ledger.own_schema()).collect();
    let mut reader = Reader::connect(options, &own).await?;
    let schema = reader.read().await?;
    reader.close().await;
    Ok(schema)
}

/// The tables that are in the second schema alone. What is a part of another table belongs to that.
fn new_tables(before: &Catalogue, after: &Catalogue) -> Vec<Address> {
    let is_part = |table: &Object| {
        table.needs.iter().any(|need| matches!(need.on.kind, Kind::Table | Kind::ForeignTable))
    };
    let tables = after.tables().filter(|table| !is_part(table) && before.get(&table.address).is_none());
    tables.map(|table| table.address.clone()).collect()
}

/// Why a folder does not apply, in a line: the file, the message, and what helps if that is known.
fn reason(folder: &Folder, error: &MigrateError) -> String {
    let MigrateError::ExecuteMigration(error, version) = error else { return error.to_string() };
    let file = folder.file(*version).unwrap_or(&folder.path);
    let Some((message, code)) = error.as_database_error().map(|it| it.message()).zip(sqlstate::code(error))
    else {
        return format!("{file}: {error}");
    };
    let hint = match &*code {
        "42601" => "; is it SQL for another database?",
        "25001" => "; a file that begins with the line `-- no-transaction` runs outside of one",
        "42501" => "; it needs more rights than a server of ours gives",
        "42704" if message.starts_with("role ") => "; a migration has to make that role, if it is missing",
        "0A000" | "58P01" if message.contains("extension ") => {
            "; choose an image of Postgres that has it: XTASK_POSTGRES_IMAGE=IMAGE, with --server docker"
        }
        "42P07" | "42710" | "42723" => {
            "; another folder makes it, or it was there from the beginning; if this is for another database, name all folders: init FOLDER…"
        }
        _ => "",
    };
    format!("{file}: {message} ({code}){hint}")
}
