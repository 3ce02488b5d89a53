//! What was typed, and what could have been.

use std::{env, ffi::OsString, path::Path};

use lexopt::{
    Arg::{Long, Short, Value},
    Parser,
};

use super::{
    changepassword, createsuperuser,
    exit::{CODES, Stop},
};

const WHY_NO_PASSWORD: &str = "\
a password is never taken from the command line, where every process on the machine can read it
  type it when asked, or with --noinput: set SUPERUSER_PASSWORD, or write it to standard input as one line";

/// What to do.
pub(crate) enum Command {
    /// Say this.
    Help(String),
    Migrate,
    Check,
    CreateSuperuser(createsuperuser::Args),
    ChangePassword(changepassword::Args),
}

/// What people type before the verb: the name of this program, or of what runs it for them under its own.
pub(crate) fn name() -> String {
    let first = env::args_os().next().unwrap_or_default();
    let name = Path::new(&first).file_name().map(|name| name.to_string_lossy().into_owned());
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| env!("CARGO_BIN_NAME").to_owned())
}

/// The command that writes the reference data: `migrate` of this program does, that of `cargo xtask` leaves it to another.
pub(crate) fn seeding() -> String {
    let name = name();
    let verb = if name.ends_with("xtask") { "seed" } else { "migrate" };
    format!("{name} {verb}")
}

/// Reads the command line.
pub(crate) fn read() -> anyhow::Result<Command> {
    let mut parser = Parser::from_env();
    let verb = match parser.next().map_err(usage)? {
        None => return Err(Stop::Usage(overview()).into()),
        Some(Long("help") | Short('h')) => return Ok(Command::Help(overview())),
        Some(Long("version") | Short('V')) => {
            return Ok(Command::Help(format!("{} {}", env!("CARGO_BIN_NAME"), env!("CARGO_PKG_VERSION"))));
        }
        Some(Value(verb)) => verb,
        Some(other) => return Err(usage(other.unexpected())),
    };
    match verb.to_str() {
        Some("migrate") => plain(parser, "migrate", MIGRATE, Command::Migrate),
        Some("check") => plain(parser, "check", CHECK, Command::Check),
        Some("createsuperuser") => create_superuser(parser),
        Some("changepassword") => change_password(parser),
        _ => Err(Stop::Usage(format!("there is no verb `{}`\n{}", verb.display(), overview())).into()),
    }
}

const MIGRATE: &str = "Apply the migrations and seeds that this program brings along.";
const CHECK: &str = "Compare the database with what this program brings along; write nothing.";

/// A verb without arguments.
fn plain(mut parser: Parser, verb: &str, help: &str, command: Command) -> anyhow::Result<Command> {
    match parser.next().map_err(usage)? {
        None => Ok(command),
        Some(Long("help") | Short('h')) => Ok(Command::Help(help_of(verb, help))),
        Some(other) => Err(usage(other.unexpected())),
    }
}

fn create_superuser(mut parser: Parser) -> anyhow::Result<Command> {
    let mut args = createsuperuser::Args::default();
    while let Some(arg) = parser.next().map_err(usage)? {
        match arg {
            Long("help") | Short('h') => {
                let usage = "createsuperuser [--noinput] [--email EMAIL] [--username NAME]";
                return Ok(Command::Help(help_of(usage, createsuperuser::HELP)));
            }
            Long("noinput") => args.noinput = true,
            Long("email") => args.email = Some(text(parser.value().map_err(usage)?)?),
            Long("username") => args.username = Some(text(parser.value().map_err(usage)?)?),
            Long("password") => return Err(Stop::Usage(WHY_NO_PASSWORD.to_owned()).into()),
            other => return Err(usage(other.unexpected())),
        }
    }
    Ok(Command::CreateSuperuser(args))
}

fn change_password(mut parser: Parser) -> anyhow::Result<Command> {
    let mut args = changepassword::Args::default();
    while let Some(arg) = parser.next().map_err(usage)? {
        match arg {
            Long("help") | Short('h') => {
                return Ok(Command::Help(help_of(
                    "changepassword [EMAIL] [--noinput]",
                    changepassword::HELP,
                )));
            }
            Long("noinput") => args.noinput = true,
            Long("password") => return Err(Stop::Usage(WHY_NO_PASSWORD.to_owned()).into()),
            Value(email) if args.email.is_none() => args.email = Some(text(email)?),
            // Whoever types a second one means the password.
            Value(_) => return Err(Stop::Usage(WHY_NO_PASSWORD.to_owned()).into()),
            other => return Err(usage(other.unexpected())),
        }
    }
    Ok(Command::ChangePassword(args))
}

fn text(value: OsString) -> anyhow::Result<String> {
    value.into_string().map_err(|_| Stop::Usage("an argument is not UTF-8".to_owned()).into())
}

/// What is wrong with the command line, without any value that stands in it: it may be a password.
fn usage(error: lexopt::Error) -> anyhow::Error {
    let why = match error {
        lexopt::Error::UnexpectedArgument(_) => "there is an argument too many".to_owned(),
        lexopt::Error::UnexpectedValue { option, .. } => format!("{option} takes no value"),
        other => other.to_string(),
    };
    Stop::Usage(format!("{why}\n  see what there is: {} --help", name())).into()
}

fn overview() -> String {
    let name = name();
    format!(
        "\
usage: {name} VERB

  migrate          apply the migrations and seeds that this program brings along
  check            compare the database with them; write nothing
  createsuperuser  make an account that may do everything
  changepassword   set somebody's password anew, and end their sessions

{name} VERB --help tells more of each. The database is the one that DATABASE_URL names.
{CODES}"
    )
}

fn help_of(usage: &str, help: &str) -> String {
    let name = name();
    format!("usage: {name} {usage}\n\n{help}\n\nThe database is the one that DATABASE_URL names.\n{CODES}")
}
