//! `cargo xtask prepare`: records in `.sqlx` what the workspace's checked queries expect from the schema, so that a clean
//! clone builds without a database, and in `migrations/schema.txt` what the migrations make, so that the deployed program
//! can compare a database with it. Another database of the manifest has a `schema.NAME.txt`.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process,
    time::Instant,
};

use ::tests::scratch::Scratch;
use anyhow::{Context, bail};
use catalogue::Scope;
use clap::Args as ClapArgs;
use duct::cmd;
use migrations::{Project, Session, Settings};
use serde::Serialize;
use serde_json::Value;

use crate::{
    checkout::Checkout,
    database::{libpq::Variables, schema},
    helpers::built,
    terminal::{
        child,
        exit::Stop,
        format::Format,
        output::{Steps, count},
    },
    throwaway::{migrated, test_server::on_scratch},
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask prepare           after a change to a query or to the schema
  cargo xtask prepare --check   check that both are up to date, and write nothing

It compiles the packages that have checked queries against a throwaway database, in a target folder of its own. migrations/schema.txt is the schema that the migrations make there, in words that are the same on every supported version of PostgreSQL; it is kept if apps.toml names a program. The schema of another database of the manifest is in migrations/schema.NAME.txt.

Exit codes: 1 a query does not fit the schema; 3 with --check, a file is not up to date.")]
pub(crate) struct Args {
    /// Compare, and write nothing
    #[arg(long)]
    check: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// The text of each file in `.sqlx`, by its name, which contains the hash of the query.
type Queries = BTreeMap<String, String>;

/// What `--format json` reports besides the steps.
#[derive(Serialize)]
struct Report<'d> {
    differences: &'d [String],
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        let mut steps = Steps::new(self.format);
        let project = checkout.project()?;
        let cargo = Cargo::new(checkout).await?;
        let (recorded, schemas) = match (cargo.packages.is_empty(), &project.program) {
            (true, None) => (Queries::new(), Vec::new()),
            (_, program) => {
                let record = async |scratch: &Scratch, steps: &mut Steps| {
                    let schemas = match program {
                        Some(_) => portable_schemas(scratch, &project).await?,
                        None => Vec::new(),
                    };
                    let none = cargo.packages.is_empty();
                    let queries =
                        if none { Queries::new() } else { cargo.record(&scratch.url(), steps).await? };
                    Ok((queries, schemas))
                };
                migrated::with_scratch(checkout, &project, &mut steps, record).await?
            }
        };
        let folder = checkout.root.join(".sqlx");
        let kept = read_queries(&folder)?;
        let words =
            if self.check { ["missing", "different", "stale"] } else { ["added", "changed", "removed"] };
        let mut differences = differences(&kept, &recorded, words);
        let texts = checkout.migrations();
        let is_outdated = |(name, text): &(String, String)| {
            fs::read_to_string(texts.join(name)).ok().as_ref() != Some(text)
        };
        let outdated: Vec<(String, String)> = schemas.into_iter().filter(is_outdated).collect();
        for (name, _) in &outdated {
            differences.push(format!("{:<9}  {}/{name}", words[1], project.folder));
        }
        let what = format!("{} in .sqlx, and the schema", count(recorded.len(), "query", "queries"));
        let state = match (differences.is_empty(), self.check) {
            (true, _) => "kept",
            (false, true) => "FAILED",
            (false, false) => "written",
        };
        steps.done("check", &what, state, None);
        for difference in &differences {
            steps.note(&format!("  {difference}"));
        }
        if self.check && !differences.is_empty() {
            steps.note("\nwrite them: cargo xtask prepare");
        }
        steps.finish(Report { differences: &differences });
        match (differences.is_empty(), self.check) {
            (true, _) => Ok(()),
            (false, true) => Err(Stop::Differs.into()),
            (false, false) => {
                for (name, text) in outdated {
                    let path = texts.join(name);
                    fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
                }
                write(&folder, &kept, &recorded)
            }
        }
    }
}

/// The schema of each database of the manifest, by the name of its file. `main` has the migrations of the first.
async fn portable_schemas(main: &Scratch, project: &Project) -> anyhow::Result<Vec<(String, String)>> {
    let mut texts = vec![(project.postgres.text_file(), portable_schema(main, project).await?)];
    let server = main.options();
    for other in &project.others {
        let text = on_scratch(&server, async |scratch| {
            migrated::migrate(scratch, other).await?;
            portable_schema(scratch, other).await
        });
        texts.push((other.postgres.text_file(), text.await?));
    }
    Ok(texts)
}

/// The schema of a migrated database, as every supported version of the server describes it.
async fn portable_schema(scratch: &Scratch, project: &Project) -> anyhow::Result<String> {
    let mut session = Session::connect(&scratch.options(), Settings::default()).await?;
    let catalogue = schema::read(session.connection(), project).await?;
    session.close().await;
    Ok(catalogue.text(Scope::Portable))
}

/// Cargo, and the packages that have checked queries.
struct Cargo {
    program: OsString,
    root: PathBuf,
    /// Not the usual target folder: `record` would throw away the builds there.
    target: PathBuf,
    /// Empty if no package uses the macros of sqlx, so that there are no checked queries.
    packages: Vec<String>,
}

impl Cargo {
    async fn new(checkout: &Checkout) -> anyhow::Result<Cargo> {
        let (program, root) = (built::cargo(), checkout.root.clone());
        let metadata = cmd!(&program, "metadata", "--no-deps", "--format-version", "1").dir(&root);
        let metadata = metadata.read().context("ask cargo for the packages")?;
        let metadata: Value = serde_json::from_str(&metadata).context("read cargo's list of packages")?;
        let target = metadata["target_directory"].as_str().context("cargo reported no target folder")?;
        let members = metadata["packages"].as_array().into_iter().flatten();
        let packages: Vec<String> = members.filter(|it| has_macros(it)).filter_map(package_name).collect();
        Ok(Cargo { program, root, target: Path::new(target).join("sqlx-prepare"), packages })
    }

    /// Compiles the packages against a database, and returns what sqlx recorded about their queries.
    async fn record(&self, url: &str, steps: &mut Steps) -> anyhow::Result<Queries> {
        let start = Instant::now();
        steps.doing("queries", "compiling");
        let folder = self.target.join(format!("queries-{}", process::id()));
        fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
        let recorded = self.compile(url, &folder).await.and_then(|()| read_queries(&folder));
        let _ = fs::remove_dir_all(&folder);
        let recorded = recorded?;
        steps.done("queries", &format!("of {}", self.packages.join(", ")), "compiled", Some(start.elapsed()));
        Ok(recorded)
    }

    async fn compile(&self, url: &str, folder: &Path) -> anyhow::Result<()> {
        let packages = || self.packages.iter().flat_map(|package| ["--package", package]);
        let cargo = |words: &[&'static str]| {
            let words: Vec<&str> = words.iter().copied().chain(packages()).collect();
            cmd(&self.program, words).dir(&self.root).env("CARGO_TARGET_DIR", &self.target)
        };
        // sqlx records a query when it is compiled, and cargo does not compile what is up to date.
        child::run(cargo(&["clean", "--quiet"])).await?;
        let check = cargo(&["check", "--quiet", "--all-targets"])
            .env("DATABASE_URL", url)
            .env("SQLX_OFFLINE", "false")
            .env("SQLX_OFFLINE_DIR", folder);
        if child::run(Variables::none().give(check)).await?.success() {
            return Ok(());
        }
        bail!("not every query fits the schema, see above; nothing was written")
    }
}

/// Whether a package may have checked queries: it turns on the macros of sqlx, or all default features.
fn has_macros(package: &Value) -> bool {
    package["dependencies"].as_array().into_iter().flatten().any(|dependency| {
        let mut features = dependency["features"].as_array().into_iter().flatten();
        dependency["name"] == "sqlx"
            && (dependency["uses_default_features"] == true || features.any(|feature| feature == "macros"))
    })
}

fn package_name(package: &Value) -> Option<String> {
    package["name"].as_str().map(str::to_owned)
}

/// Reads the files that sqlx wrote to a folder; none if the folder does not exist.
fn read_queries(folder: &Path) -> anyhow::Result<Queries> {
    let mut queries = Queries::new();
    if !folder.exists() {
        return Ok(queries);
    }
    for entry in fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))? {
        let path = entry.with_context(|| format!("list {}", folder.display()))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("query-") && name.ends_with(".json") {
            let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
            queries.insert(name, text);
        }
    }
    Ok(queries)
}

/// A line for each file of `.sqlx` that should change, which starts with the word for what is wrong with it.
fn differences(kept: &Queries, recorded: &Queries, [missing, different, stale]: [&str; 3]) -> Vec<String> {
    let line = |state: &str, name: &str, text: &str| format!("{state:<9}  .sqlx/{name}  {}", start_of(text));
    let new = recorded.iter().filter(|(name, _)| !kept.contains_key(*name));
    let new = new.map(|(name, text)| line(missing, name, text));
    let other = recorded.iter().filter(|(name, text)| kept.get(*name).is_some_and(|it| it != *text));
    let other = other.map(|(name, text)| line(different, name, text));
    let old = kept.iter().filter(|(name, _)| !recorded.contains_key(*name));
    let old = old.map(|(name, text)| line(stale, name, text));
    new.chain(other).chain(old).collect()
}

/// The first words of a query, so that people recognise it.
fn start_of(text: &str) -> String {
    let file: Value = serde_json::from_str(text).unwrap_or_default();
    let query = file["query"].as_str().unwrap_or("(no query in it)");
    let words: Vec<&str> = query.split_whitespace().collect();
    words.join(" ").chars().take(60).collect()
}

fn write(folder: &Path, kept: &Queries, recorded: &Queries) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    for (name, text) in recorded.iter().filter(|(name, text)| kept.get(*name) != Some(*text)) {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
    }
    for name in kept.keys().filter(|name| !recorded.contains_key(*name)) {
        let path = folder.join(name);
        fs::remove_file(&path).with_context(|| format!("remove {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_kind_of_difference_is_named() {
        let files = |files: &[(&str, &str)]| -> Queries {
            let file = |query: &str| json!({ "query": query }).to_string();
            files.iter().map(|(name, query)| ((*name).to_owned(), file(query))).collect()
        };
        let kept = files(&[
            ("query-1.json", "select 1"),
            ("query-2.json", "select 2"),
            ("query-3.json", "select 3"),
        ]);
        let recorded = files(&[
            ("query-2.json", "select 2"),
            ("query-3.json", "select\n 33"),
            ("query-4.json", "select 4"),
        ]);
        let expected = [
            "missing    .sqlx/query-4.json  select 4",
            "different  .sqlx/query-3.json  select 33",
            "stale      .sqlx/query-1.json  select 1",
        ];
        let words = ["missing", "different", "stale"];
        assert_eq!(differences(&kept, &recorded, words), expected);
        assert!(differences(&kept, &kept, words).is_empty());
    }
}
