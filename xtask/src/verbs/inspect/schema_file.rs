//! Writes the schema files of apps from what their migrations make, so that no one has to type them.

use ::tests::scratch::Scratch;
use anyhow::{Context, bail};
use catalogue::{Address, Body};
use migrations::{Project, Session, Settings, SourceFile, schema::Reader};

use crate::{
    checkout::Checkout,
    database::{
        differences::{self, MADE},
        sql::as_text,
    },
    files::edits::{self, Edit},
    terminal::{
        interrupt::or_interrupted,
        output::{self, Steps},
    },
    throwaway::{
        owned::{self, Owned},
        test_server::{TestServer, on_scratch},
    },
};

/// What happens to files that exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    Kept,
    Replaced,
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
    let mut steps = Steps::silent();
    let files = TestServer::with_scratch(checkout, project, &mut steps, async |migrated, _| {
        let server = migrated.options();
        on_scratch(&server, async |loaded| {
            or_interrupted(files(checkout, project, &meant, migrated, loaded)).await
        })
        .await
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
    output::line(
        "\nloaded, they make what the migrations make; change them, then: cargo xtask makemigrations",
    );
    Ok(())
}

/// The files of some apps, after a proof that they make what the migrations make.
async fn files(
    checkout: &Checkout,
    project: &Project,
    meant: &[&str],
    migrated: &Scratch,
    loaded: &Scratch,
) -> anyhow::Result<Vec<File>> {
    let mut session = Session::connect(&migrated.options(), Settings::default()).await?;
    let mut reader = Reader::connect(&migrated.options(), &project.left_out()).await?;
    let empty = reader.read().await?;
    let made = owned::replay(project, &mut session, &mut reader).await?;
    reader.close().await;
    session.close().await;
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
    let written = Project::from_files(&project.folder, sources)?;
    let again =
        owned::load(&written, &made, loaded).await.context("load the files, which were not written")?;
    let flaws = differences::real_lines(&made.schema, &again.schema, MADE);
    if !flaws.is_empty() {
        bail!(
            "the files would not make what the migrations make; nothing was written\n  {}",
            flaws.join("\n  ")
        );
    }
    Ok(files)
}

/// The app whose file has an object: the one that made it. A foreign key stands with its table, whichever app made it.
fn home(made: &Owned, address: &Address) -> usize {
    let body = made.schema.get(address).map(|object| &object.body);
    let is_key = matches!(body, Some(Body::Constraint(it)) if it.sort == "foreign key");
    let table = made.schema.table_of(address).filter(|_| is_key).map(|table| &table.address);
    made.maker(table.unwrap_or(address)).map_or(0, |maker| maker.app)
}
