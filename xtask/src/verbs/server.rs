//! `cargo xtask server start|stop|status|sweep|url`: controls the development server by hand.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Instant, SystemTime},
};

use clap::{Args as ClapArgs, Subcommand};
use cluster::{Native, Status, Stopped};
use xtask_protocol::docker::{StopAnswer, Stopped as ContainerStopped};

use crate::{
    checkout::Checkout,
    database::{pending, session},
    server::{
        self, Chosen, Kind, Own, Programs, choose, container, docker, native_server, own_server, redacted,
    },
    terminal::{
        format::Format,
        interrupt::or_interrupted,
        output::{self, Steps, timed},
        shell::shell_path,
    },
    throwaway::{serving, shared},
};

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo xtask server status
  cargo xtask --server native server start

The server is durable: it keeps running after the command that started it, and the next command starts it again after a stop.

Exit code 1: the server cannot be started, stopped or reached.")]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Start it if it is not running
    Start {
        /// Start the test server of plain `cargo test`, which is in memory and ends after some minutes without use
        #[arg(long)]
        test: bool,
    },
    /// Run a test server that lends databases to tests
    #[command(hide = true)]
    Host(serving::Args),
    /// Stop it and keep its data
    Stop,
    /// Show the server that this checkout uses and its state
    Status {
        /// Output format
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Remove the test servers that killed commands left behind, and stop the servers of checkouts that are gone
    Sweep,
    /// Print the connection string of the server itself, password included; start it if it is not running
    Url,
}

impl Args {
    pub(crate) async fn run(self, checkout: &Checkout) -> anyhow::Result<()> {
        match self.verb {
            // These two handle an interrupt themselves.
            Verb::Host(args) => args.run(checkout).await,
            Verb::Start { test: true } => start_test(checkout).await,
            Verb::Start { test: false } => or_interrupted(start(checkout)).await,
            Verb::Stop => or_interrupted(stop(checkout)).await,
            Verb::Status { format } => or_interrupted(status(checkout, format)).await,
            Verb::Sweep => or_interrupted(sweep(checkout)).await,
            Verb::Url => or_interrupted(print_url(checkout)).await,
        }
    }
}

async fn start(checkout: &Checkout) -> anyhow::Result<()> {
    let postgres = checkout.postgres()?;
    let mut steps = Steps::new(Format::Text);
    let server = server::start(checkout, &postgres).await?;
    server.report(&mut steps, &session::version(&server, &postgres).await?);
    pending::warn(&server, checkout).await;
    Ok(())
}

async fn start_test(checkout: &Checkout) -> anyhow::Result<()> {
    let began = Instant::now();
    let state = shared::start_if_missing(checkout).await?.state;
    let elapsed = (state == "started").then(|| began.elapsed());
    Steps::new(Format::Text).done("service", "databases for `cargo test`", state, elapsed);
    Ok(())
}

async fn stop(checkout: &Checkout) -> anyhow::Result<()> {
    let postgres = checkout.postgres()?;
    let mut steps = Steps::new(Format::Text);
    match choose(checkout, &postgres)? {
        Chosen::Url(url, place) => anyhow::bail!(
            "the server is the one in DATABASE_URL ({place}), {}, which is not ours to stop\n  the native one: cargo \
             xtask --server native server stop",
            redacted(&url)
        ),
        Chosen::Own(Own { kind: Kind::Native(programs), .. }) => {
            match native_server(checkout, programs, &postgres)?.stop().await? {
                Stopped::WasRunning { pid, elapsed } => {
                    steps.done("server", &format!("{programs}, pid {pid}"), "stopped", Some(elapsed));
                }
                Stopped::NotRunning => steps.done("server", &programs.to_string(), "not running", None),
            }
        }
        Chosen::Own(Own { kind: Kind::Docker, .. }) => {
            let (stopped, elapsed) = timed(container::stop(&own_server(checkout, &postgres)?)).await;
            let StopAnswer { state, container } = stopped?;
            let (state, elapsed) = match state {
                ContainerStopped::Stopped => ("stopped", Some(elapsed)),
                ContainerStopped::NotRunning => ("not running", None),
                ContainerStopped::Absent => ("absent", None),
            };
            let container = container.map_or(String::new(), |name| format!(", container {name}"));
            steps.done("server", &format!("Docker{container}"), state, elapsed);
        }
    }
    Ok(())
}

/// Removes the test servers that killed commands left behind, in memory and in containers.
async fn sweep(checkout: &Checkout) -> anyhow::Result<()> {
    let ended = shared::end_unused(checkout).await?;
    if ended > 0 {
        let servers = output::count(ended, "unused test server", "unused test servers");
        output::line(&format!("{servers} ended"));
    }
    let mut removed: Vec<String> =
        cluster::sweep().await?.iter().map(|folder| folder.display().to_string()).collect();
    // Without a daemon there are no containers. Without the package that talks to it there are none either, and to build
    // that takes a minute.
    if docker::PACKAGE.is_built() && docker::daemon_answers().is_ok() {
        removed.extend(container::sweep().await?);
    }
    for name in &removed {
        output::line(&format!("removed  {name}"));
    }
    output::line(&format!(
        "{} of killed commands removed",
        output::count(removed.len(), "test server", "test servers")
    ));
    stop_without_checkout(checkout).await
}

/// Stops the development servers whose checkouts were moved or deleted. Their data is the user's, so it stays.
async fn stop_without_checkout(checkout: &Checkout) -> anyhow::Result<()> {
    let own = Native::of_checkout(&checkout.root, 0, "")?;
    for (native, place) in Native::without_checkout()? {
        let (Status::Running { data, .. } | Status::Stopped { data, .. }) = native.status()? else {
            continue;
        };
        let state = match native.stop().await? {
            Stopped::WasRunning { pid, .. } => format!("stopped  pid {pid}"),
            Stopped::NotRunning => "stopped ".to_owned(),
        };
        let folder = native.folder();
        output::line(&format!("{state}  the server of {}, which is gone; its data is kept", place.display()));
        // The data of a server that runs as another account is elsewhere, in a folder named after the old place.
        let within = data.starts_with(folder);
        if within && !own.folder().exists() {
            output::line(&format!(
                "  use it for this checkout: mv {} {}",
                shell_path(folder),
                shell_path(own.folder())
            ));
        }
        let elsewhere = data.parent().filter(|_| !within).map(|it| format!(" {}", shell_path(it)));
        output::line(&format!("  remove it: rm -r {}{}", shell_path(folder), elsewhere.unwrap_or_default()));
    }
    Ok(())
}

async fn print_url(checkout: &Checkout) -> anyhow::Result<()> {
    let mut server = server::start(checkout, &checkout.postgres()?).await?;
    server.url.set_path("postgres");
    output::line(server.url.as_str());
    Ok(())
}

async fn status(checkout: &Checkout, format: Format) -> anyhow::Result<()> {
    let postgres = &checkout.postgres()?;
    let rows = match choose(checkout, postgres)? {
        Chosen::Url(url, place) => {
            let mut rows = vec![("server", format!("DATABASE_URL ({place})")), ("url", redacted(&url))];
            let server = server::start(checkout, postgres).await?;
            match session::version(&server, postgres).await {
                Ok(version) => rows.extend([("state", "running".to_owned()), ("version", version)]),
                Err(error) => rows.push(("state", format!("unreachable: {error:#}"))),
            }
            rows
        }
        Chosen::Own(Own { kind: Kind::Native(programs), why, .. }) => {
            rows_of_native(programs, &native_server(checkout, programs, postgres)?, &why)?
        }
        Chosen::Own(Own { kind: Kind::Docker, why, .. }) => {
            let mut rows = vec![("server", format!("Docker ({why})"))];
            rows.extend(container::status(&own_server(checkout, postgres)?).await?);
            rows
        }
    };
    match format {
        Format::Text => {
            for (name, value) in &rows {
                output::line(&format!("{name:<9} {value}"));
            }
            let ours = rows.iter().all(|(name, _)| *name != "url");
            if ours && rows.iter().any(|(name, value)| *name == "state" && value != "running") {
                output::line("start it: cargo xtask server start");
            }
        }
        Format::Json => {
            output::json(&rows.into_iter().collect::<BTreeMap<_, _>>());
        }
    }
    Ok(())
}

/// The rows that describe a native server.
fn rows_of_native(
    programs: Programs,
    native: &Native,
    why: &str,
) -> anyhow::Result<Vec<(&'static str, String)>> {
    let mut rows = vec![("server", format!("{programs} ({why})"))];
    let places = |data: PathBuf, log: PathBuf| {
        [("data", data.display().to_string()), ("log", log.display().to_string())]
    };
    match native.status()? {
        Status::Absent => rows.push(("state", "not made yet".to_owned())),
        Status::Stopped { version, data, log } => {
            rows.extend([("state", "stopped".to_owned()), ("version", version)]);
            rows.extend(places(data, log));
        }
        Status::Running { pid, port, version, data, log, since } => {
            let up = SystemTime::now().duration_since(since).unwrap_or_default();
            rows.extend([("state", "running".to_owned()), ("version", version)]);
            rows.extend([("pid", pid.to_string()), ("port", port.to_string())]);
            rows.push(("up", format!("{} s", up.as_secs())));
            rows.extend(places(data, log));
        }
    }
    Ok(rows)
}
