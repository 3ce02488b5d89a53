//! `cargo xtask server start|stop|status|url`: the development server by hand.

use std::time::SystemTime;

use clap::{Args as ClapArgs, Subcommand};
use serde_json::json;

use super::{
    Origin, Server, find, named,
    native::{Native, Status, Stopped},
    redacted, why_native,
};
use crate::{
    checkout::Checkout,
    cli::Format,
    output::{self, Steps},
    session,
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask server status
  cargo xtask --server native server start

The server is durable: it survives the command that started it, and starts again with the next command.")]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Start it where it does not run
    Start,
    /// Stop it; its data stays
    Stop,
    /// Which server this checkout uses, and how it is
    Status {
        /// How to report
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Print the connection string of the server itself, password included; start it where it does not run
    Url,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        match self.verb {
            Verb::Start => start(checkout).await,
            Verb::Stop => stop(checkout).await,
            Verb::Status { format } => status(checkout, format).await,
            Verb::Url => {
                let mut server = find(checkout, &checkout.project()?.postgres).await?;
                server.url.set_path("postgres");
                output::line(server.url.as_str());
                Ok(())
            }
        }
    }
}

async fn start(checkout: &Checkout) -> anyhow::Result<()> {
    let project = checkout.project()?;
    let mut steps = Steps::new(Format::Text);
    let server = find(checkout, &project.postgres).await?;
    report(&mut steps, &server, &session::version(&server, &project).await?);
    Ok(())
}

/// The line that tells which server it is.
pub(crate) fn report(steps: &mut Steps, server: &Server, version: &str) {
    let (state, elapsed) = server.state();
    steps.done("server", &format!("PostgreSQL {version}, {}", server.origin), state, elapsed);
}

async fn stop(checkout: &Checkout) -> anyhow::Result<()> {
    let postgres = checkout.project()?.postgres;
    let mut steps = Steps::new(Format::Text);
    if let Some((url, place)) = named(checkout, &postgres)? {
        anyhow::bail!(
            "the server is that of DATABASE_URL ({place}), {}, which is not ours to stop\n  the native one: cargo \
             xtask --server native server stop",
            redacted(&url)
        );
    }
    match Native::of_checkout(&checkout.root, postgres.version, &postgres.database)?.stop().await? {
        Stopped::WasRunning { pid, elapsed } => {
            steps.done("server", &format!("native, pid {pid}"), "stopped", Some(elapsed));
        }
        Stopped::NotRunning => steps.done("server", "native", "not running", None),
    }
    Ok(())
}

async fn status(checkout: &Checkout, format: Format) -> anyhow::Result<()> {
    let project = checkout.project()?;
    let postgres = &project.postgres;
    let mut rows: Vec<(&str, String)> = Vec::new();
    if let Some((url, place)) = named(checkout, postgres)? {
        rows.push(("server", format!("DATABASE_URL ({place})")));
        rows.push(("url", redacted(&url)));
        let server = find(checkout, postgres).await?;
        match session::version(&server, &project).await {
            Ok(version) => rows.extend([("state", "running".to_owned()), ("version", version)]),
            Err(error) => rows.push(("state", format!("unreachable: {error:#}"))),
        }
    } else {
        rows.push(("server", Origin::Native(why_native(checkout, postgres)?).to_string()));
        match Native::of_checkout(&checkout.root, postgres.version, &postgres.database)?.status()? {
            Status::Absent => rows.push(("state", "not made yet".to_owned())),
            Status::Stopped { version, data, log } => {
                rows.extend([("state", "stopped".to_owned()), ("version", version)]);
                rows.extend([("data", data.display().to_string()), ("log", log.display().to_string())]);
            }
            Status::Running { pid, port, version, data, log, since } => {
                let up = SystemTime::now().duration_since(since).unwrap_or_default();
                rows.extend([("state", "running".to_owned()), ("version", version)]);
                rows.extend([("pid", pid.to_string()), ("port", port.to_string())]);
                rows.push(("up", format!("{} s", up.as_secs())));
                rows.extend([("data", data.display().to_string()), ("log", log.display().to_string())]);
            }
        }
    }
    match format {
        Format::Text => {
            for (name, value) in &rows {
                output::line(&format!("{name:<8} {value}"));
            }
            let ours = rows.iter().all(|(name, _)| *name != "url");
            if ours && rows.iter().any(|(name, value)| *name == "state" && value != "running") {
                output::line("start it: cargo xtask server start");
            }
        }
        Format::Json => {
            output::json(
                &rows
                    .into_iter()
                    .map(|(name, value)| (name, json!(value)))
                    .collect::<std::collections::BTreeMap<_, _>>(),
            );
        }
    }
    Ok(())
}
