//! `backend changepassword`: sets a new password for an account.

use anyhow::{Context, bail};
use backend::{
    Error,
    audit::Actor,
    password,
    users::{self, User},
};
use sqlx::PgConnection;

use super::{
    called::name,
    database, inputs,
    output::line,
    terminal::{Judged, Terminal},
};

/// The help after the usage line.
pub(crate) const HELP: &str = "\
Set a new password for the account with this address, and end all its sessions.

Without --noinput, the program asks for the password, and for the address if you pass none.

      --noinput  do not ask: read the address from SUPERUSER_EMAIL if you pass none, and the
                 password from SUPERUSER_PASSWORD or, if that is not set, from one line of
                 standard input";

#[derive(Debug, Default)]
pub(crate) struct Args {
    pub(crate) noinput: bool,
    pub(crate) email: Option<String>,
}

impl Args {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let terminal = (!self.noinput).then(open_terminal).transpose()?;
        let mut session = database::open_for_accounts().await?;
        let (email, password) = match terminal {
            Some(terminal) => self.ask(&terminal, session.connection()).await?,
            None => self.read().await?,
        };
        let actor = Actor::system("changepassword");
        let changed = users::change_password(session.connection(), &actor, &email, &password).await;
        let ended = changed.with_context(|| format!("the password of {email} was not changed"))?;
        let sessions = if ended == 1 { "session" } else { "sessions" };
        line(&format!("the password of {email} was changed; {ended} {sessions} ended"))?;
        session.close().await;
        Ok(())
    }

    async fn read(self) -> anyhow::Result<(String, String)> {
        let Some(email) = inputs::argument_or_variable(self.email, "SUPERUSER_EMAIL")? else {
            bail!("no e-mail address; nothing was written\n  pass it as an argument, or set SUPERUSER_EMAIL")
        };
        Ok((email, inputs::password().await?))
    }

    async fn ask(self, terminal: &Terminal, conn: &mut PgConnection) -> anyhow::Result<(String, String)> {
        let user = match self.email {
            Some(email) => find_account(conn, &email).await?.of_argument(&email)?,
            None => terminal.ask("E-mail", async |email| find_account(conn, &email).await).await?,
        };
        let names = [user.email.as_str(), user.username.as_str()];
        let judge = |typed: &str| password::require_strong(typed, &names).map_err(|error| error.to_string());
        let password = terminal.ask_password(judge).await?;
        Ok((user.email, password))
    }
}

fn open_terminal() -> anyhow::Result<Terminal> {
    Terminal::open(&format!(
        "without one: {} changepassword EMAIL --noinput, with SUPERUSER_PASSWORD set",
        name()
    ))
}

/// Accepts the address of an account.
async fn find_account(conn: &mut PgConnection, email: &str) -> anyhow::Result<Judged<User>> {
    let found = users::find_by_email(conn, email).await?;
    Ok(found.map_or_else(|| Judged::Refused(Error::NoSuchUser.to_string()), Judged::Accepted))
}
