//! Writes the schema files of apps from what their migrations make, or from a database, so that no one has to type them.

use ::tests::scratch::Scratch;
use anyhow::{Context, bail};
use catalogue::{Address, Body, Catalogue};
use migrations::{Project, SourceFile, schema::Reader};

use super::homes;
use crate::{
    checkout::Checkout,
    database::{
        differences::{self, MADE},
        schema,
        session::{self, on_server},
        sql::as_text,
    },
    files::edits::{self, Edit},
    server,
    terminal::{
        interrupt::or_interrupted,
        output::{self, Steps},
    },
    throwaway::{
        desired,
        owned::{self, Owned, Replayed},
        test_server::{TestServer, on_scratch},
    },
};

/// What happens to files that exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    Kept,
    Replaced,
}

/// What the files say.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// What the migrations make.
    Migrations,
    /// What a database has. An app takes what no list names.
    Database(Option<String>),
}

/// A schema file, by its path in the migrations folder.
struct File {
    /// The name of the app and of the file.
    path: String,
    /// Its path, as people type it.
    shown: String,
    text: String,
}

/// Writes the files of these apps, or of all.
pub(super) async fn write(
    checkout: &Checkout,
    project: &Project,
    apps: &[String],
    existing: Existing,
    source: Source,
) -> anyhow::Result<()> {
    for app in apps {
        project.app(app)?;
    }
    let mut meant: Vec<&str> = project.apps.iter().map(|app| app.name.as_str()).collect();
    meant.retain(|app| apps.is_empty() || apps.iter().any(|name| name == app));
    let taken = project.schema_files.iter().find(|file| meant.contains(&file.app.as_str()));
    if let Some(file) = taken.filter(|_| existing == Existing::Kept) {
        bail!(
            "{} exists; nothing was written\n  overwrite it: cargo xtask inspect --schema-file --force",
            file.script.path
        );
    }
    let (made, what) = match &source {
        Source::Migrations => (None, "the migrations make"),
        Source::Database(rest) => {
            let rest = rest.as_ref().map(|name| project.app(name)).transpose()?;
            let rest = rest.map(|app| owned::position(project, &app.name));
            (Some(homes::assigned(project, read(checkout, project).await?, rest)?), "the database has")
        }
    };
    let writing = Writing { checkout, project, meant: &meant, what };
    let mut steps = Steps::silent();
    let files = TestServer::with_scratch(checkout, project, &mut steps, async |first, _| {
        let server = first.options();
        on_scratch(&server, async |loaded| or_interrupted(writing.files(made, first, loaded)).await).await
    })
    .await?;
    let edits = files.iter().map(|File { shown, text, .. }| {
        let (path, text) = (checkout.root.join(shown), text.clone());
        match std::fs::read_to_string(&path) {
            Ok(old) => Edit::Rewrite { path, old, new: text },
            Err(_) => Edit::Create { path, text },
        }
    });
    edits::apply(&edits.collect::<Vec<_>>())?;
    for File { shown, .. } in &files {
        output::line(&format!("created    {shown}"));
    }
    output::line(&format!("\nloaded, they make what {what}; change them, then: cargo xtask makemigrations"));
    Ok(())
}

/// Reads the schema of the database, whatever made it.
async fn read(checkout: &Checkout, project: &Project) -> anyhow::Result<Catalogue> {
    let server = or_interrupted(server::start_existing(checkout, &project.postgres)).await?;
    on_server(&server, async {
        let mut session = session::open_read_only(&server, project).await?;
        let found = schema::read(session.connection(), project).await?;
        session.close().await;
        Ok(found.without_secrets())
    })
    .await
}

/// How files are written.
struct Writing<'w> {
    checkout: &'w Checkout,
    project: &'w Project,
    /// The apps.
    meant: &'w [&'w str],
    /// Of what the files are made, for people.
    what: &'static str,
}

impl Writing<'_> {
    /// The files of some apps, after a proof that they make what there is. Without `made`, that is what the migrations make.
    async fn files(
        &self,
        made: Option<Owned>,
        first: &Scratch,
        loaded: &Scratch,
    ) -> anyhow::Result<Vec<File>> {
        let Writing { checkout, project, meant, what } = self;
        let (empty, made) = match made {
            Some(made) => {
                let mut reader = Reader::connect(&first.options(), &[]).await?;
                let empty = reader.read().await?;
                reader.close().await;
                (empty, made)
            }
            None => {
                let replayed = Replayed::open(project, first).await?;
                (replayed.empty.clone(), replayed.close().await)
            }
        };
        let mut texts = vec![String::new(); project.apps.len()];
        for part in diff::diff_by_owner(&empty, &made.schema, |address, _| home(&made, address))? {
            texts[part.owner] += &as_text(&part.script.statements);
        }
        let named = project.apps.iter().zip(texts).filter(|(app, _)| meant.contains(&app.name.as_str()));
        let files: Vec<File> = named
            .map(|(app, text)| File {
                path: format!("{}/schema.sql", app.name),
                shown: format!("{}/schema.sql", app.folder),
                text: format!("-- What the tables of this app should be.\n{text}"),
            })
            .collect();

        let mut sources = SourceFile::read_folder(&checkout.migrations())?;
        sources.retain(|source| !files.iter().any(|file| file.path == source.path));
        sources.extend(files.iter().map(|file| SourceFile::new(&file.path, &file.text)));
        let written = project.with_files(sources)?;
        let again = desired::load(&written, Some(&made), loaded).await;
        let again = again.context("load the files, which were not written")?;
        // A database may have settings and rights of its own, which are no app's.
        let flaws = differences::from_database(&again.schema, &made.schema);
        if !flaws.is_empty() {
            let lines = differences::lines(&again.schema, &made.schema, &flaws, MADE);
            bail!("the files would not make what {what}; nothing was written\n  {}", lines.join("\n  "));
        }
        Ok(files)
    }
}

/// The app whose file has an object: the one that made it. A foreign key stands with its table, whichever app made it.
fn home(made: &Owned, address: &Address) -> usize {
    let body = made.schema.get(address).map(|object| &object.body);
    let is_key = matches!(body, Some(Body::Constraint(it)) if it.sort == "foreign key");
    let table = made.schema.table_of(address).filter(|_| is_key).map(|table| &table.address);
    made.maker(table.unwrap_or(address)).map_or(0, |maker| maker.app)
}
