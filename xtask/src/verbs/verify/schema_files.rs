//! Proves that the schema files and the migrations agree.

use std::time::Instant;

use migrations::Project;
use sqlx::postgres::PgConnectOptions;
use tests::scratch::Scratch;

use crate::{
    database::differences::{self, MADE},
    terminal::{interrupt::or_interrupted, output::Steps},
    throwaway::{both, test_server::on_scratch},
};

/// Loads the schema files into one new database and the migrations into another, and lists what differs.
pub(super) async fn prove(
    server: &PgConnectOptions,
    project: &Project,
    steps: &mut Steps,
) -> anyhow::Result<Vec<String>> {
    if project.schema_files.is_empty() {
        return Ok(Vec::new());
    }
    steps.doing("proof", "loading the schema files");
    let start = Instant::now();
    let mut flaws = on_scratch(server, async |migrated| {
        on_scratch(server, async |loaded| or_interrupted(compare(project, migrated, loaded)).await).await
    })
    .await?;
    let state = if flaws.is_empty() { "holds" } else { "FAILED" };
    steps.done("proof", "the migrations make what schema.sql says", state, Some(start.elapsed()));
    if !flaws.is_empty() {
        flaws.push("write what is missing: cargo xtask makemigrations".to_owned());
    }
    flaws.iter().for_each(|flaw| steps.note(&format!("  {flaw}")));
    Ok(flaws)
}

async fn compare(project: &Project, migrated: &Scratch, loaded: &mut Scratch) -> anyhow::Result<Vec<String>> {
    let (replayed, to) = both::make(project, migrated, loaded).await?;
    let from = replayed.close().await;
    Ok(differences::real_lines(&to.schema, &from.schema, MADE))
}
