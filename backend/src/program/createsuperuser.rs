//! `backend createsuperuser`: an account that may do everything.

use anyhow::{Context, anyhow, bail};
use backend::{
    Error,
    audit::Actor,
    password,
    users::{self, Registration},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{command_line::name, database, given, output::line, terminal::Terminal};

/// What its help says after the usage.
pub(crate) const HELP: &str = "\
Make an account that is active, verified, and has the role `admin` everywhere.

It asks for what is not given, and for the password always.

      --noinput        ask nothing: take SUPERUSER_EMAIL, SUPERUSER_USERNAME, and the password from
                       SUPERUSER_PASSWORD or, where that is not set, from one line of standard input
      --email EMAIL    the address that it signs in with, in whatever case
      --username NAME  its name, unless it is the address too";

#[derive(Debug, Default)]
pub(crate) struct Args {
    pub(crate) noinput: bool,
    pub(crate) email: Option<String>,
    pub(crate) username: Option<String>,
}

/// Who it will be.
struct Answers {
    email: String,
    username: String,
    password: String,
}

impl Args {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let terminal = (!self.noinput).then(find_terminal).transpose()?;
        let mut session = database::open_for_accounts().await?;
        let Answers { email, username, password } = match terminal {
            Some(terminal) => self.ask(&terminal, session.connection()).await?,
            None => self.take().await?,
        };
        let registration = Registration { email: &email, username: &username, password: &password };
        let actor = Actor::system("createsuperuser");
        match users::create_superuser(session.connection(), &actor, registration).await {
            Ok(user) => line(&format!("superuser {} was made", user.email))?,
            Err(Error::EmailTaken) => bail!(
                "{email}: this e-mail address is taken; nothing was written\n  to set its password anew: {} changepassword",
                name()
            ),
            Err(error) => {
                return Err(error).with_context(|| format!("no superuser {email} was made"));
            }
        }
        session.close().await;
        Ok(())
    }

    async fn take(self) -> anyhow::Result<Answers> {
        let Some(email) = given::argument(self.email, "SUPERUSER_EMAIL")? else {
            bail!(
                "no e-mail address was given; nothing was written\n  set SUPERUSER_EMAIL, or pass --email EMAIL"
            )
        };
        let username = given::argument(self.username, "SUPERUSER_USERNAME")?;
        let username = username.unwrap_or_else(|| email.trim().to_owned());
        Ok(Answers { email, username, password: given::password().await? })
    }

    async fn ask(self, terminal: &Terminal, conn: &mut PgConnection) -> anyhow::Result<Answers> {
        let email = match self.email {
            Some(given) => free_email(conn, given.clone()).await?.map_err(|why| refused(&given, &why))?,
            None => terminal.ask("E-mail", async |email| free_email(conn, email).await).await?,
        };
        let username = match self.username {
            Some(given) => {
                free_username(conn, &email, given.clone()).await?.map_err(|why| refused(&given, &why))?
            }
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

fn find_terminal() -> anyhow::Result<Terminal> {
    Terminal::find(&format!(
        "without one: {} createsuperuser --noinput, with SUPERUSER_EMAIL and SUPERUSER_PASSWORD set",
        name()
    ))
}

/// An argument can't be asked for again.
fn refused(given: &str, why: &str) -> anyhow::Error {
    anyhow!("{given}: {why}; nothing was written")
}

/// An address that an account could have, or what is wrong with it.
async fn free_email(conn: &mut PgConnection, email: String) -> anyhow::Result<Result<String, String>> {
    // With a name that nobody has.
    let tried = users::try_names(conn, &email, &Uuid::now_v7().to_string()).await;
    judged(tried, email.trim())
}

/// A name that an account with this address could have, or what is wrong with it. None is the address.
async fn free_username(
    conn: &mut PgConnection,
    email: &str,
    username: String,
) -> anyhow::Result<Result<String, String>> {
    let username = if username.is_empty() { email } else { &username };
    judged(users::try_names(conn, email, username).await, username)
}

fn judged(tried: backend::Result<()>, name: &str) -> anyhow::Result<Result<String, String>> {
    match tried {
        Ok(()) => Ok(Ok(name.to_owned())),
        Err(error @ Error::Database(_)) => Err(error.into()),
        Err(error) => Ok(Err(error.to_string())),
    }
}
