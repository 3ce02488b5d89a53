//! `backend createsuperuser`: creates an account with every permission.

use anyhow::{Context, bail};
use backend::{
    Error,
    audit::Actor,
    password,
    users::{self, Registration},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    called::name,
    database, inputs,
    output::line,
    terminal::{Judged, Terminal},
};

/// The help after the usage line.
pub(crate) const HELP: &str = "\
Create an account that is active, verified, and has the role `admin` globally.

Without --noinput, the program asks for the password, and for the options that you do not pass.

      --noinput        do not ask: read SUPERUSER_EMAIL, SUPERUSER_USERNAME, and the password from
                       SUPERUSER_PASSWORD or, if that is not set, from one line of standard input
      --email EMAIL    the address to sign in with; case does not matter
      --username NAME  the name, by default the address";

#[derive(Debug, Default)]
pub(crate) struct Args {
    pub(crate) noinput: bool,
    pub(crate) email: Option<String>,
    pub(crate) username: Option<String>,
}

/// The new account.
struct Answers {
    email: String,
    username: String,
    password: String,
}

impl Args {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let terminal = (!self.noinput).then(open_terminal).transpose()?;
        let mut session = database::open_for_accounts().await?;
        let Answers { email, username, password } = match terminal {
            Some(terminal) => self.ask(&terminal, session.connection()).await?,
            None => self.read().await?,
        };
        let registration = Registration { email: &email, username: &username, password: &password };
        let actor = Actor::system("createsuperuser");
        match users::create_superuser(session.connection(), &actor, registration).await {
            Ok(user) => line(&format!("created superuser {}", user.email))?,
            Err(Error::EmailTaken) => bail!(
                "{email}: this e-mail address is taken; nothing was written\n  to set a new password for it: {} changepassword",
                name()
            ),
            Err(error) => {
                return Err(error).with_context(|| format!("superuser {email} was not created"));
            }
        }
        session.close().await;
        Ok(())
    }

    async fn read(self) -> anyhow::Result<Answers> {
        let Some(email) = inputs::argument_or_variable(self.email, "SUPERUSER_EMAIL")? else {
            bail!("no e-mail address; nothing was written\n  set SUPERUSER_EMAIL, or pass --email EMAIL")
        };
        let username = inputs::argument_or_variable(self.username, "SUPERUSER_USERNAME")?;
        let username = username.unwrap_or_else(|| email.trim().to_owned());
        Ok(Answers { email, username, password: inputs::password().await? })
    }

    async fn ask(self, terminal: &Terminal, conn: &mut PgConnection) -> anyhow::Result<Answers> {
        let email = match self.email {
            Some(given) => free_email(conn, given.clone()).await?.of_argument(&given)?,
            None => terminal.ask("E-mail", async |email| free_email(conn, email).await).await?,
        };
        let username = match self.username {
            Some(given) => free_username(conn, &email, given.clone()).await?.of_argument(&given)?,
            None => {
                let question = format!("Username [{email}]");
                terminal.ask(&question, async |username| free_username(conn, &email, username).await).await?
            }
        };
        let names = [email.as_str(), username.as_str()];
        let judge = |typed: &str| password::require_strong(typed, &names).map_err(|error| error.to_string());
        let password = terminal.ask_password(judge).await?;
        Ok(Answers { email, username, password })
    }
}

fn open_terminal() -> anyhow::Result<Terminal> {
    Terminal::open(&format!(
        "without one: {} createsuperuser --noinput, with SUPERUSER_EMAIL and SUPERUSER_PASSWORD set",
        name()
    ))
}

/// Accepts an address that a new account could have.
async fn free_email(conn: &mut PgConnection, email: String) -> anyhow::Result<Judged<String>> {
    // With an unused name.
    let tried = users::try_names(conn, &email, &Uuid::now_v7().to_string()).await;
    judged(tried, email.trim())
}

/// Accepts a name that a new account with this address could have. An empty name means the address.
async fn free_username(
    conn: &mut PgConnection,
    email: &str,
    username: String,
) -> anyhow::Result<Judged<String>> {
    let username = if username.is_empty() { email } else { &username };
    judged(users::try_names(conn, email, username).await, username)
}

fn judged(tried: backend::Result<()>, name: &str) -> anyhow::Result<Judged<String>> {
    match tried {
        Ok(()) => Ok(Judged::Accepted(name.to_owned())),
        Err(error @ Error::Database(_)) => Err(error.into()),
        Err(error) => Ok(Judged::Refused(error.to_string())),
    }
}
