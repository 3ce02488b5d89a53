//! A connection string as the environment variables that psql, pg_dump and the like read. On a command line, every user
//! of the machine could read the password.

use percent_encoding::percent_decode_str;
use sqlx::postgres::PgConnectOptions;
use url::Url;

/// The variables for a database. `options` must be what sqlx parsed from `url`.
pub(crate) fn environment(url: &Url, options: &PgConnectOptions) -> Vec<(&'static str, String)> {
    let parameter =
        |wanted| url.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
    let password = url.password().map(|text| percent_decode_str(text).decode_utf8_lossy().into_owned());
    let socket = options.get_socket().map(|path| path.display().to_string());
    let mut variables = vec![
        ("PGHOST", socket.unwrap_or_else(|| options.get_host().to_owned())),
        ("PGPORT", options.get_port().to_string()),
        ("PGUSER", options.get_username().to_owned()),
        ("PGDATABASE", options.get_database().unwrap_or_default().to_owned()),
    ];
    variables.extend(parameter("password").or(password).map(|password| ("PGPASSWORD", password)));
    variables.extend(parameter("sslmode").map(|mode| ("PGSSLMODE", mode)));
    variables
}
