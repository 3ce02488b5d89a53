//! The server that tests and proofs run on.

use migrations::Postgres;
use sqlx::postgres::PgConnectOptions;
use url::Url;

use super::{
    ephemeral::{Ephemeral, Place},
    find, named, plain_url,
};
use crate::{checkout::Checkout, output::Steps};

/// Where everything has its throwaway databases from.
pub(crate) struct TestServer {
    /// How to connect to it, and to none of its databases in particular.
    pub(crate) options: PgConnectOptions,
    /// That as a connection string, password included.
    pub(crate) url: Url,
    /// `None`: the server is the developer's own, so it is not ours to stop.
    ours: Option<Ephemeral>,
}

impl TestServer {
    /// That of `DATABASE_URL` where the user chose so, else one in memory that ends with us.
    pub(crate) async fn find(
        checkout: &Checkout,
        postgres: &Postgres,
        steps: &mut Steps,
    ) -> anyhow::Result<TestServer> {
        if named(checkout, postgres)?.is_some() {
            let mut server = find(checkout, postgres).await?;
            steps.done("server", &server.origin.to_string(), "kept", None);
            server.url.set_path("postgres");
            return Ok(TestServer {
                options: server.options.database("postgres"),
                url: server.url,
                ours: None,
            });
        }
        steps.doing("server", "starting one in memory");
        let ours = Ephemeral::start(postgres.version, &postgres.database).await?;
        let place = match ours.place() {
            Place::Memory => "in memory".to_owned(),
            Place::Disk { why } => format!("on disk, which is slower: {why}"),
        };
        let what = format!("PostgreSQL {}, native, {place}", ours.version());
        steps.done("server", &what, "started", Some(ours.elapsed()));
        for folder in ours.cleared() {
            steps.note(&format!(
                "           cleared away what a killed command had left: {}",
                folder.display()
            ));
        }
        let options = ours.options().database("postgres");
        Ok(TestServer { url: plain_url(&options, ours.password())?, options, ours: Some(ours) })
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        match self.ours {
            Some(ours) => ours.stop().await,
            None => Ok(()),
        }
    }
}
