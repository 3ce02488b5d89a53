//! A connection string as the environment variables that psql, pg_dump and the like read. On a command line, every user
//! of the machine could read the password.
//!
//! A child gets all of these variables from us, or none: one of the user's, meant for another server, would change how it
//! connects to ours.

use std::process::Command;

use duct::Expression;
use percent_encoding::percent_decode_str;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

/// Every variable that libpq reads when it connects.
const FAMILY: &[&str] = &[
    "PGHOST",
    "PGHOSTADDR",
    "PGPORT",
    "PGDATABASE",
    "PGUSER",
    "PGPASSWORD",
    "PGPASSFILE",
    "PGREQUIREAUTH",
    "PGCHANNELBINDING",
    "PGSERVICE",
    "PGSERVICEFILE",
    "PGSYSCONFDIR",
    "PGOPTIONS",
    "PGAPPNAME",
    "PGSSLMODE",
    "PGREQUIRESSL",
    "PGSSLNEGOTIATION",
    "PGSSLCOMPRESSION",
    "PGSSLCERT",
    "PGSSLKEY",
    "PGSSLCERTMODE",
    "PGSSLROOTCERT",
    "PGSSLCRL",
    "PGSSLCRLDIR",
    "PGSSLSNI",
    "PGREQUIREPEER",
    "PGSSLMINPROTOCOLVERSION",
    "PGSSLMAXPROTOCOLVERSION",
    "PGGSSENCMODE",
    "PGKRBSRVNAME",
    "PGKRBSRVNAM",
    "PGREALM",
    "PGGSSLIB",
    "PGGSSDELEGATION",
    "PGCONNECT_TIMEOUT",
    "PGCLIENTENCODING",
    "PGTARGETSESSIONATTRS",
    "PGLOADBALANCEHOSTS",
    "PGMINPROTOCOLVERSION",
    "PGMAXPROTOCOLVERSION",
    "PGOAUTHDEBUG",
    "PGOAUTHCAFILE",
    "PGDATESTYLE",
    "PGTZ",
    "PGGEQO",
];

/// The variables that are not in our connection string, and that sqlx takes from the environment then.
const PASSWORD: &[&str] = &["PGPASSWORD", "PGPASSFILE"];
/// The files of TLS: the variable, and the names of the parameter.
const FILES: &[(&str, &[&str])] = &[
    ("PGSSLROOTCERT", &["sslrootcert", "ssl-root-cert", "ssl-ca"]),
    ("PGSSLCERT", &["sslcert", "ssl-cert"]),
    ("PGSSLKEY", &["sslkey", "ssl-key"]),
];

/// All variables of libpq, as a child should have them.
pub(crate) struct Variables {
    ours: Vec<(&'static str, String)>,
    /// What the child may keep.
    kept: Vec<&'static str>,
}

impl Variables {
    /// The variables for a database. `options` must be what sqlx parsed from `url`.
    pub(crate) fn for_database(url: &Url, options: &PgConnectOptions) -> Variables {
        let parameter = |names: &[&str]| {
            let mut all = url.query_pairs();
            all.find(|(name, _)| names.contains(&&**name)).map(|(_, value)| value.into_owned())
        };
        let socket = options.get_socket().map(|path| path.display().to_string());
        let mode = options.get_ssl_mode();
        let mut ours = vec![
            ("PGHOST", socket.unwrap_or_else(|| options.get_host().to_owned())),
            ("PGPORT", options.get_port().to_string()),
            ("PGUSER", options.get_username().to_owned()),
            ("PGDATABASE", options.get_database().unwrap_or_default().to_owned()),
            ("PGSSLMODE", word(mode).to_owned()),
        ];
        let mut kept = Vec::new();
        let password = url.password().map(|text| percent_decode_str(text).decode_utf8_lossy().into_owned());
        match parameter(&["password"]).or(password) {
            Some(password) => ours.push(("PGPASSWORD", password)),
            None => kept.extend(PASSWORD),
        }
        for (variable, names) in FILES {
            match parameter(names) {
                Some(file) => ours.push((variable, file)),
                None if matches!(mode, PgSslMode::Disable) => {}
                None => kept.push(*variable),
            }
        }
        ours.extend(options.get_options().map(|options| ("PGOPTIONS", options.to_owned())));
        Variables { ours, kept }
    }

    /// None at all, for a child that gets a complete connection string.
    pub(crate) fn none() -> Variables {
        Variables { ours: Vec::new(), kept: Vec::new() }
    }

    /// Gives them to a child.
    pub(crate) fn give(self, child: Expression) -> Expression {
        let child = self.removed().fold(child, |child, name| child.env_remove(name));
        self.ours.iter().fold(child, |child, (name, value)| child.env(name, value))
    }

    /// The same for a program that replaces this one.
    pub(crate) fn give_to(self, command: &mut Command) {
        for name in self.removed() {
            command.env_remove(name);
        }
        command.envs(self.ours);
    }

    fn removed(&self) -> impl Iterator<Item = &'static str> {
        let kept = |name: &&'static str| {
            !self.kept.contains(name) && !self.ours.iter().any(|(ours, _)| ours == name)
        };
        FAMILY.iter().copied().filter(kept)
    }
}

fn word(mode: PgSslMode) -> &'static str {
    match mode {
        PgSslMode::Disable => "disable",
        PgSslMode::Allow => "allow",
        PgSslMode::Prefer => "prefer",
        PgSslMode::Require => "require",
        PgSslMode::VerifyCa => "verify-ca",
        PgSslMode::VerifyFull => "verify-full",
    }
}
