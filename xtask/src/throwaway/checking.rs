//! Compares a database with what its migrations and seeds make: the ledger with the files, the schema object by object, the
//! seeded rows one by one. It writes nothing to the database.

mod findings;

use migrations::{Contract, LedgerProblem, Project};
use sqlx::PgConnection;

pub(crate) use self::findings::{Findings, Schemas};
use crate::{
    checkout::Checkout,
    database::{schema, session},
    server::Server,
    terminal::{
        exit::Stop,
        output::{Steps, timed},
    },
    throwaway::baseline::{Wanted, reason},
};

/// Where the schema that should be may be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// On a server of our own.
    Own,
    /// In a throwaway database of the checked server.
    Here,
}

/// Opens the database read-only and compares everything.
pub(crate) async fn check(
    checkout: &Checkout,
    project: &Project,
    server: &Server,
    place: Place,
    steps: &mut Steps,
) -> anyhow::Result<Findings> {
    let mut session = session::open_read_only(server, project).await?;
    let ledger = session.ledger(project).await?;
    let found = schema::read(session.connection(), project).await?;
    let contract = Contract::new(&found, project);
    let mut findings = Findings {
        migrations: ledger.applied_in(project).len(),
        tables: contract.expected,
        ..Findings::default()
    };
    findings.add_ledger(project, &ledger);
    // The files do not say what made this database.
    let other_files = |it: &LedgerProblem| {
        !matches!(
            it,
            LedgerProblem::Late { .. } | LedgerProblem::Renamed { .. } | LedgerProblem::UnknownTable { .. }
        )
    };
    if ledger.problems(project).iter().any(other_files) {
        findings.add_contract(project, &ledger, &contract);
        findings
            .not_checked
            .push("the schema and the seeded rows: the ledger contradicts the files".to_owned());
        session.close().await;
        return Ok(findings);
    }
    let roles = roles(session.connection()).await?;
    let here = server.options.clone().database("postgres");
    let wanted = Wanted {
        checkout,
        project,
        ledger: &ledger,
        major: found.major(),
        roles: &roles,
        here: (place == Place::Here).then_some(&here),
    };
    match wanted.get(steps).await {
        Ok(baseline) => {
            let expected = baseline.catalogue(project)?;
            findings.add_versions(&expected, &found);
            findings.add_schema(project, &ledger, &contract, &expected, &found);
            findings.add_rows(&wanted, &baseline, &mut session, steps).await?;
            findings.schemas = Some(Schemas { found, expected });
        }
        Err(error) => {
            let why = reason(error)?;
            findings.add_contract(project, &ledger, &contract);
            findings.not_checked.push(format!("the schema and the seeded rows: {why}"));
        }
    }
    session.close().await;
    Ok(findings)
}

/// The check as the last step of setting up a database.
pub(crate) async fn step(
    checkout: &Checkout,
    project: &Project,
    server: &Server,
    steps: &mut Steps,
) -> anyhow::Result<()> {
    steps.doing("check", "comparing the database with what its files make");
    let (findings, elapsed) = timed(check(checkout, project, server, Place::Own, steps)).await;
    let findings = findings?;
    if findings.differences.is_empty() {
        let verdict = findings.verdict();
        let (_, verdict) = verdict.split_once(" applied, ").unwrap_or(("", &verdict));
        steps.done("check", verdict, "", Some(elapsed));
        findings.remarks().iter().for_each(|line| steps.note(line));
        return Ok(());
    }
    steps.done("check", "the database is not what its files make", "failed", Some(elapsed));
    findings.lines().iter().skip(1).chain(&findings.remarks()).for_each(|line| steps.note(line));
    steps.note("see this check again: cargo xtask db-check");
    Err(Stop::Differs.into())
}

/// The roles of a server, without its own.
pub(crate) async fn roles(conn: &mut PgConnection) -> anyhow::Result<Vec<String>> {
    let sql = "select rolname::text from pg_roles where rolname !~ '^pg_' order by 1";
    let roles = sqlx::query_scalar(sql).fetch_all(conn).await;
    Ok(roles.map_err(migrations::Error::database("list the roles"))?)
}
