//! What SQL files make: each side of a comparison in a throwaway database of its own.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ::tests::scratch::Scratch;
use anyhow::{Context, bail};
use migrations::{Error, Project, Session, Settings, Target};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, migrate::Migrator};

use crate::{
    terminal::interrupt::or_interrupted,
    throwaway::{
        statement::{Statement, split},
        stuck::{Failed, stuck},
        test_server::{TestServer, on_scratch},
    },
};

/// Files that make a schema.
pub(crate) enum Files {
    /// Statements in their order.
    Script(PathBuf),
    /// The migrations of a project.
    Project(Box<Project>),
    /// Migrations that sqlx reads, in their order.
    Migrations(Vec<(String, String)>),
    /// Statements of several files, in whatever order works.
    Folder(Vec<PathBuf>),
}

impl Files {
    /// What a path holds.
    pub(crate) async fn at(path: &Path) -> anyhow::Result<Files> {
        if !path.is_dir() {
            fs::metadata(path).with_context(|| format!("read {}", path.display()))?;
            return Ok(Files::Script(path.to_owned()));
        }
        if path.join("apps.toml").exists() {
            return Ok(Files::Project(Box::new(Project::load(path)?)));
        }
        let migrator = Migrator::new(path).await;
        let migrator = migrator.with_context(|| format!("read the migrations in {}", path.display()))?;
        let ups = migrator.iter().filter(|it| !it.migration_type.is_down_migration());
        let ups: Vec<(String, String)> = ups
            .map(|it| (format!("{}_{}", it.version, it.description), it.sql.as_str().to_owned()))
            .collect();
        if !ups.is_empty() {
            return Ok(Files::Migrations(ups));
        }
        let mut scripts = Vec::new();
        find_scripts(path, &mut scripts)?;
        scripts.sort();
        Ok(Files::Folder(scripts))
    }

    /// The schemas of the project's ledgers.
    pub(crate) fn left_out(&self) -> Vec<&str> {
        match self {
            Files::Project(project) => project.left_out(),
            _ => Vec::new(),
        }
    }

    /// Loads them into a throwaway database on a server, and has `work` look at it.
    pub(crate) async fn loaded<T>(
        &self,
        server: &TestServer,
        work: impl AsyncFnOnce(&mut PgConnection) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        on_scratch(server.options(), async |scratch| {
            or_interrupted(self.load(scratch)).await?;
            let mut conn = connect(scratch).await?;
            let found = or_interrupted(work(&mut conn)).await?;
            conn.close().await.map_err(Error::database("close the connection"))?;
            Ok(found)
        })
        .await
    }

    async fn load(&self, scratch: &Scratch) -> anyhow::Result<()> {
        if let Files::Project(project) = self {
            let mut session = Session::connect(&scratch.options(), Settings::default()).await?;
            session.migrate(project, &Target::Latest, &mut |_| {}).await?;
            session.close().await;
            return Ok(());
        }
        let mut conn = connect(scratch).await?;
        match self {
            Files::Project(_) => {}
            Files::Script(path) => {
                let text = read(path)?;
                for statement in split(&path.display().to_string(), &text) {
                    statement.run_with_roles(&mut conn).await.map_err(|error| statement.failed(&error))?;
                }
            }
            Files::Migrations(ups) => {
                for (name, sql) in ups {
                    for statement in split(name, sql) {
                        statement
                            .run_with_roles(&mut conn)
                            .await
                            .map_err(|error| statement.failed(&error))?;
                    }
                }
            }
            Files::Folder(paths) => {
                let texts: Vec<String> = paths.iter().map(|path| read(path)).collect::<Result<_, _>>()?;
                let named = paths.iter().zip(&texts);
                let all = named.flat_map(|(path, text)| split(&path.display().to_string(), text)).collect();
                in_any_order(&mut conn, all).await?;
            }
        }
        conn.close().await.map_err(Error::database("close the connection"))?;
        Ok(())
    }
}

pub(crate) async fn connect(scratch: &Scratch) -> anyhow::Result<PgConnection> {
    Ok(scratch.options().connect().await.map_err(Error::database("connect to a throwaway database"))?)
}

fn find_scripts(folder: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("read {}", folder.display()))?.path();
        if path.is_dir() {
            find_scripts(&path, found)?;
        } else if path.extension().is_some_and(|it| it == "sql") {
            found.push(path);
        }
    }
    Ok(())
}

/// Reads a script without the rows that `pg_dump` writes into it, and without a byte-order mark. Lines keep their numbers.
fn read(path: &Path) -> anyhow::Result<String> {
    let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let mut in_rows = false;
    let mut kept = String::with_capacity(text.len());
    for line in text.strip_prefix('\u{feff}').unwrap_or(&text).lines() {
        let starts = !in_rows && starts_rows(line);
        if !in_rows && !starts {
            kept.push_str(line);
        }
        kept.push('\n');
        in_rows = starts || in_rows && line != "\\.";
    }
    Ok(kept)
}

/// Whether rows follow a line, up to a line `\.`.
fn starts_rows(line: &str) -> bool {
    let words: Vec<String> = line.split_whitespace().map(str::to_lowercase).collect();
    let from_stdin =
        words.windows(2).any(|it| it[0] == "from" && matches!(it[1].as_str(), "stdin" | "stdin;"));
    words.first().is_some_and(|it| it == "copy") && from_stdin && line.trim_end().ends_with(';')
}

/// Runs statements again and again until all have run, or none of the rest can.
async fn in_any_order(conn: &mut PgConnection, mut left: Vec<Statement>) -> anyhow::Result<()> {
    let off = sqlx::raw_sql("set check_function_bodies = off").execute(&mut *conn).await;
    off.map_err(Error::database("prepare a throwaway database"))?;
    while !left.is_empty() {
        let (before, mut failed) = (left.len(), Vec::new());
        for statement in left {
            if let Err(error) = statement.run_with_roles(conn).await {
                failed.push(Failed::new(statement, &error));
            }
        }
        if failed.len() == before {
            bail!("the files do not load\n{}", stuck(&failed));
        }
        left = failed.into_iter().map(|it| it.statement).collect();
    }
    Ok(())
}
