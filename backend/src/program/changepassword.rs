//! `backend changepassword`: somebody's password, set anew.

use anyhow::{Context, anyhow, bail};
use backend::{
    Error,
    audit::Actor,
    password,
    users::{self, User},
};
use sqlx::PgConnection;

use super::{command_line::name, database, given, output::line, terminal::Terminal};

/// What its help says after the usage.
pub(crate) const HELP: &str = "\
Set the password of the account with this address anew, and end all its sessions.

It asks for the address where none is given, and for the password always.

      --noinput  ask nothing: take the address from SUPERUSER_EMAIL where none is given, and the
                 password from SUPERUSER_PASSWORD or, where that is not set, from one line of
                 standard input";

#[derive(Debug, Default)]
pub(crate) struct Args {
    pub(crate) noinput: bool,
    pub(crate) email: Option<String>,
}

impl Args {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let terminal = (!self.noinput).then(find_terminal).transpose()?;
        let mut session = database::open_for_accounts().await?;
        let (email, password) = match terminal {
            Some(terminal) => self.ask(&terminal, session.connection()).await?,
            None => self.take().await?,
        };
        let actor = Actor::system("changepassword");
        let changed = users::change_password(session.connection(), &actor, &email, &password).await;
        let ended = changed.with_context(|| format!("the password of {email} was not changed"))?;
        let sessions = if ended == 1 { "session" } else { "sessions" };
        line(&format!("the password of {email} was changed; {ended} {sessions} ended"))?;
        session.close().await;
        Ok(())
    }

    async fn take(self) -> anyhow::Result<(String, String)> {
        let Some(email) = given::argument(self.email, "SUPERUSER_EMAIL")? else {
            bail!(
                "no e-mail address was given; nothing was written\n  pass it as an argument, or set SUPERUSER_EMAIL"
            )
        };
        Ok((email, given::password().await?))
    }

    async fn ask(self, terminal: &Terminal, conn: &mut PgConnection) -> anyhow::Result<(String, String)> {
        let user = match self.email {
            Some(email) => {
                known(conn, &email).await?.map_err(|why| anyhow!("{email}: {why}; nothing was written"))?
            }
            None => terminal.ask("E-mail", async |email| known(conn, &email).await).await?,
        };
        let names = [user.email.as_str(), user.username.as_str()];
        let judge = |typed: &str| password::require_strong(typed, &names).map_err(|error| error.to_string());
        let password = terminal.ask_password(judge).await?;
        Ok((user.email, password))
    }
}

fn find_terminal() -> anyhow::Result<Terminal> {
    Terminal::find(&format!(
        "without one: {} changepassword EMAIL --noinput, with SUPERUSER_PASSWORD set",
        name()
    ))
}

/// The account of an address.
async fn known(conn: &mut PgConnection, email: &str) -> anyhow::Result<Result<User, String>> {
    let found = users::find_by_email(conn, email).await?;
    Ok(found.ok_or_else(|| Error::NoSuchUser.to_string()))
}
