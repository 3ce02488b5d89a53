//! `cargo xtask makemigrations`: writes the migrations that lead to what the schema files say, and proves them first.

mod casts;
mod draft;
mod empty;
mod filling;
mod findings;
mod hints;
mod manifest;
mod naming;
mod numbering;
mod phases;
mod proof;
mod renames;
mod report;
mod safety;
mod trial;
mod whose;

use std::{cell::RefCell, collections::BTreeSet};

use ::tests::scratch::Scratch;
use anyhow::{Context, bail};
use catalogue::Address;
use clap::Args as ClapArgs;
use diff::{Part, Renames};
use migrations::{App, Error, Project, SourceFile};
use sqlx::Connection as _;

use self::{
    draft::{Wishes, drafts},
    filling::Filling,
    phases::Pace,
    proof::{Proof, Rows},
    report::{Changes, Mode},
    safety::OnRows,
    whose::Whose,
};
use crate::{
    checkout::Checkout,
    database::{each::each_with, renaming},
    terminal::{
        exit::Stop,
        format::Format,
        interrupt::or_interrupted,
        output::{self, Steps},
        question,
    },
    throwaway::{
        both, loaded,
        owned::Replayed,
        test_server::{TestServer, on_scratch},
    },
};

#[derive(Debug, Clone, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask makemigrations                       write what leads to the schema.sql files
  cargo xtask makemigrations --check               only say whether there is something to write
  cargo xtask makemigrations --empty APP --name add_due_date

APP/schema.sql says what the app's tables should be, in plain SQL and any order. The command loads
these files into one throwaway database, applies the migrations to another, and compares the two. It
looks at no other database. Each new migration has been applied, compared, reverted and compared
before it is written. The lists of tables in apps.toml are kept up to date.

Tables that an earlier run made may hold rows, so what has to read all rows comes in migrations of its
own, NNNN_name_validate, and an index is built concurrently. --quick writes each change at once.

A line `-- using: expression` behind a column says where its values come from, if it is new or gets
another type. A rename is a drop and a creation, unless a line `-- renamed-from: old_name` behind the
column, or above the statement that creates the table, says otherwise; what looks like a rename is a
question at a terminal, and an error elsewhere.

With --empty it creates the app's next migration, NNNN_add_due_date.up.sql and .down.sql, for you to
fill in. In a folder of timestamps or of plain .sql files, new files are named like the others.

Exit codes: 1 an error, and nothing was written; 2 the name is not valid; 3 --check found changes;
4 the change would lose rows or values, or fail on rows, and --allow-data-loss is missing.")]
pub(crate) struct Args {
    /// Write only what these apps need; every app by default
    #[arg(value_name = "APP")]
    apps: Vec<String>,
    /// Create the files without statements
    #[arg(long, requires_all = ["apps", "name"], conflicts_with_all = ["dry_run", "check", "allow_data_loss", "quick"])]
    empty: bool,
    /// What the migrations do, in a few words: add_due_date
    #[arg(long, value_parser = parse_name)]
    name: Option<String>,
    /// Print the files and write nothing
    #[arg(long, conflicts_with = "check")]
    dry_run: bool,
    /// Write nothing, and exit with 3 if there is something to write
    #[arg(long)]
    check: bool,
    /// Write statements that lose rows or values, or fail on rows, too
    #[arg(long)]
    allow_data_loss: bool,
    /// Write each change as one statement, for tables that are small
    #[arg(long)]
    quick: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Checks a migration's name. It comes without the number, which `makemigrations` adds.
fn parse_name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let words = text.split('_').all(|word| !word.is_empty() && word.chars().all(plain));
    if words && text.starts_with(|c: char| c.is_ascii_lowercase()) {
        Ok(text.to_owned())
    } else {
        Err("write lower-case words with `_` between them, without a number: add_due_date".to_owned())
    }
}

impl Args {
    /// Compares each database, or each that has one of the apps that are named.
    pub(crate) async fn run_in_each(self, checkout: &Checkout) -> anyhow::Result<()> {
        let run = async |one: &Checkout, apps: Vec<String>| Args { apps, ..self.clone() }.run(one).await;
        each_with(checkout, &self.apps, run).await
    }

    async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        if self.empty {
            let ([app], Some(name)) = (self.apps.as_slice(), &self.name) else {
                return Err(Stop::Usage("--empty creates one migration; name one app".to_owned()).into());
            };
            return empty::create(checkout, app, name, self.format);
        }
        let files = SourceFile::read_folder(&checkout.migrations())?;
        let project = checkout.project()?;
        let has_none = |project: &Project| project.schema_files.is_empty();
        if self.apps.is_empty() && has_none(&project) && !project.others.iter().all(has_none) {
            output::remark("no app of this database has a schema.sql");
            return Ok(());
        }
        let apps = self.judged(&project)?;
        let mut steps = Steps::silent();
        let changes = TestServer::with_scratch(checkout, &project, &mut steps, async |migrated, _| {
            let server = migrated.options();
            on_scratch(&server, async |loaded| {
                or_interrupted(self.changes(&files, &project, &apps, migrated, loaded)).await
            })
            .await
        })
        .await?;
        let mode = match (self.check, self.dry_run) {
            (true, _) => Mode::Missed,
            (_, true) => Mode::Printed,
            _ => Mode::Written,
        };
        changes.finish(checkout, &project, &files, mode, self.format)
    }

    fn on_rows(&self) -> OnRows {
        if self.allow_data_loss || self.check { OnRows::Allowed } else { OnRows::Refused }
    }

    /// The apps whose changes are meant, by their positions.
    fn judged(&self, project: &Project) -> anyhow::Result<Vec<usize>> {
        for name in &self.apps {
            let App { name, folder, .. } = project.app(name)?;
            if !project.schema_files.iter().any(|file| file.app == *name) {
                bail!(
                    "app `{name}` has no schema.sql\n  write {folder}/schema.sql, or an empty migration: cargo xtask makemigrations --empty {name} --name NAME"
                );
            }
        }
        if project.schema_files.is_empty() {
            bail!(
                "no app has a schema.sql, which says what its tables should be\n  write one, or an empty migration: cargo xtask makemigrations --empty APP --name NAME"
            );
        }
        let meant = |name: &String| {
            let has_file = project.schema_files.iter().any(|file| file.app == *name);
            has_file && (self.apps.is_empty() || self.apps.contains(name))
        };
        let apps = project.apps.iter().enumerate();
        Ok(apps.filter(|(_, app)| meant(&app.name)).map(|(position, _)| position).collect())
    }

    async fn changes(
        &self,
        files: &[SourceFile],
        project: &Project,
        apps: &[usize],
        migrated: &Scratch,
        loaded: &mut Scratch,
    ) -> anyhow::Result<Changes> {
        let (replayed, to) = both::make(project, migrated, loaded).await?;
        let Replayed { mut session, mut reader, made: from, .. } = replayed;
        let ledgers = project.left_out();
        let mut renames = renames::renames(project, &from.schema)?;
        let conn = session.connection();
        let before = Renames::new(renames.clone());
        let (mut schema, mut renamed) =
            renaming::renamed(conn, from.schema.clone(), &ledgers, before, &to.schema).await?;
        let is_meant = |gone: &Address| from.maker(gone).is_some_and(|maker| apps.contains(&maker.app));
        let mut likely = renames::likely(&schema, &to.schema, is_meant);
        if self.on_rows() == OnRows::Refused && question::can_be_answered() {
            renames.extend(renames::confirmed(&likely, &renames).await?);
            let before = Renames::new(renames.clone());
            (schema, renamed) =
                renaming::renamed(conn, from.schema.clone(), &ledgers, before, &to.schema).await?;
            likely.clear();
        }
        let original = from;
        let from = original.renamed(schema, &renames);
        let whose = Whose { project, from: &from, to: &to, trespasses: RefCell::default() };
        let parts =
            diff::diff_by_owner(&from.schema, &to.schema, |object, change| whose.owner(object, change))?;
        let maker = |object: &Address| [&original, &from, &to].into_iter().find_map(|it| it.maker(object));
        let owner = |object: &Address| maker(object).map_or(0, |maker| maker.app);
        let parts = renames::before(renamed, parts, owner);
        let mut parts = meant(parts, apps);
        let filling = Filling::new(&whose)?;
        let mut of_loaded = loaded::connect(loaded).await?;
        let databases = [session.connection(), &mut of_loaded];
        let without_cast = casts::without_cast(&whose, &parts, &filling, databases).await?;
        of_loaded.close().await.map_err(Error::database("close the connection"))?;
        safety::refuse(&whose, &parts, &filling, without_cast, &likely, self.on_rows())?;
        filling.use_in(&whose, &mut parts);

        let mut files = files.to_vec();
        let manifest = files.iter_mut().find(|file| file.path == "apps.toml").context("read apps.toml")?;
        let before = manifest.text.clone().unwrap_or_default();
        // Of other apps comes what these need.
        let written: BTreeSet<usize> =
            parts.iter().map(|part| part.owner).chain(apps.iter().copied()).collect();
        let after = manifest::with_tables(&before, project, &to, &written)?;
        manifest.text = Some(after.clone());
        let pace = if self.quick { Pace::Quick } else { Pace::Careful };
        let wishes = Wishes { name: self.name.as_deref(), pace };
        let mut drafts = drafts(&whose, parts, wishes)?;
        let ledgers = ledgers.iter().map(|&schema| schema.to_owned()).collect();
        let mut proof = Proof {
            session: &mut session,
            reader: &mut reader,
            files: &files,
            project,
            original: original.schema.clone(),
            ledgers,
            renames,
            // Only the heads of the files say what was found.
            rows: if self.check { Rows::None } else { Rows::Generated },
        };
        let migrations = proof.prove(&whose, apps, &mut drafts).await?;
        reader.close().await;
        session.close().await;
        Ok(Changes { migrations, manifest: [before, after] })
    }
}

/// The parts of some apps, and those that these wait for.
fn meant(parts: Vec<Part>, apps: &[usize]) -> Vec<Part> {
    let mut wanted: BTreeSet<usize> = BTreeSet::new();
    for (at, part) in parts.iter().enumerate().rev() {
        if apps.contains(&part.owner) || wanted.contains(&at) {
            wanted.insert(at);
            wanted.extend(&part.waits_for);
        }
    }
    let place = |at: &usize| wanted.iter().position(|it| it == at);
    let kept = parts.iter().enumerate().filter(|(at, _)| wanted.contains(at));
    kept.map(|(_, part)| Part {
        waits_for: part.waits_for.iter().filter_map(place).collect(),
        ..part.clone()
    })
    .collect()
}
