//! Starts the server that this checkout uses, if it is one of our own.

use anyhow::bail;
use migrations::Postgres;
use xtask_protocol::Reply;

use crate::{
    checkout::Checkout,
    server::{
        choice::{Chosen, Kind, Own, Settled, choose, instead, remember},
        container,
        login::login_options,
        programs::{Programs, native_server, own_server},
        reached::{Origin, Server, plain_url},
        tls,
    },
    terminal::output,
};

/// Starts the checkout's server unless it is running. Creates it if there is none.
pub(crate) async fn start(checkout: &Checkout, postgres: &Postgres) -> anyhow::Result<Server> {
    start_chosen(checkout, postgres, choose(checkout, postgres)?).await
}

/// The same for commands that need an existing database: creates no server, and reports a start on standard error.
pub(crate) async fn start_existing(checkout: &Checkout, postgres: &Postgres) -> anyhow::Result<Server> {
    let chosen = choose(checkout, postgres)?;
    if let Chosen::Own(Own { settled: Settled::No, .. }) = chosen {
        bail!("this checkout has no database yet\n  make it: cargo xtask db-setup");
    }
    let server = start_chosen(checkout, postgres, chosen).await?;
    if let (state, Some(elapsed)) = server.state() {
        output::remark(&format!("server {state}: {}, {}", server.origin, output::time(elapsed)));
    }
    Ok(server)
}

async fn start_chosen(checkout: &Checkout, postgres: &Postgres, chosen: Chosen) -> anyhow::Result<Server> {
    let own = match chosen {
        Chosen::Url(url, place) => {
            let server = Server::from_url(url, place, postgres)?;
            tls::hand_over_if_needed(checkout, &server.options)?;
            return Ok(server);
        }
        Chosen::Own(own) => own,
    };
    let database = own.database.clone();
    let server = start_own(checkout, postgres, own).await?;
    Ok(match database {
        Some(database) => server.with_database(&database),
        None => server,
    })
}

async fn start_own(checkout: &Checkout, postgres: &Postgres, own: Own) -> anyhow::Result<Server> {
    let folder = own_server(checkout, postgres)?.folder().to_owned();
    let (programs, why) = match own.kind {
        Kind::Native(programs) => (programs, own.why),
        Kind::Docker => match container::start(checkout, postgres, &own.why).await? {
            Reply::Answer(server) => {
                remember(&folder, Kind::Docker).await?;
                return Ok(server);
            }
            Reply::Error(refusal) => instead(&own, &refusal, postgres)?,
        },
    };
    let server = start_native(checkout, programs, postgres, why).await?;
    remember(&folder, Kind::Native(programs)).await?;
    Ok(server)
}

async fn start_native(
    checkout: &Checkout,
    programs: Programs,
    postgres: &Postgres,
    why: String,
) -> anyhow::Result<Server> {
    let running = native_server(checkout, programs, postgres)?.ensure_running(&programs).await?;
    for note in &running.notes {
        output::remark(note);
    }
    let options = login_options(running.port, &running.role, &running.password).database(&postgres.database);
    // Other programs get an address that each of them can use.
    let url = plain_url(&options, &running.password)?;
    // Over TCP, a small message waits for the answer to the one before, up to 40 ms, and sqlx can't switch that off.
    let options = match running.socket {
        Some(folder) => options.socket(folder),
        None => options,
    };
    Ok(Server { options, url, origin: Origin::Native(programs, why), started: running.started })
}
