//! The command line and its help.

use std::ffi::OsString;

use lexopt::{
    Arg::{Long, Short, Value},
    Parser,
};

use super::{
    called::name,
    changepassword, createsuperuser,
    exit::{CODES, Stop},
};

const WHY_NO_PASSWORD: &str = "\
passwords are not accepted on the command line, where every process on the machine can read them
  type it at the prompt, or with --noinput: set SUPERUSER_PASSWORD, or write it to standard input as one line";

/// What to do.
pub(crate) enum Command {
    /// Print this.
    Help(String),
    Migrate,
    Check,
    CreateSuperuser(createsuperuser::Args),
    ChangePassword(changepassword::Args),
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
        _ => Err(Stop::Usage(format!("no verb `{}`\n{}", verb.display(), overview())).into()),
    }
}

const MIGRATE: &str = "Apply the embedded migrations and seeds.";
const CHECK: &str = "Compare the database with the embedded migrations (read-only).";

/// Reads a verb without arguments.
fn plain(mut parser: Parser, verb: &str, help: &str, command: Command) -> anyhow::Result<Command> {
    match parser.next().map_err(usage)? {
        None => Ok(command),
        Some(Long("help") | Short('h')) => Ok(Command::Help(verb_help(verb, help))),
        Some(other) => Err(usage(other.unexpected())),
    }
}

fn create_superuser(mut parser: Parser) -> anyhow::Result<Command> {
    let mut args = createsuperuser::Args::default();
    while let Some(arg) = parser.next().map_err(usage)? {
        match arg {
            Long("help") | Short('h') => {
                let usage = "createsuperuser [--noinput] [--email EMAIL] [--username NAME]";
                return Ok(Command::Help(verb_help(usage, createsuperuser::HELP)));
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
                return Ok(Command::Help(verb_help(
                    "changepassword [EMAIL] [--noinput]",
                    changepassword::HELP,
                )));
            }
            Long("noinput") => args.noinput = true,
            Long("password") => return Err(Stop::Usage(WHY_NO_PASSWORD.to_owned()).into()),
            Value(email) if args.email.is_none() => args.email = Some(text(email)?),
            // A second value is probably the password.
            Value(_) => return Err(Stop::Usage(WHY_NO_PASSWORD.to_owned()).into()),
            other => return Err(usage(other.unexpected())),
        }
    }
    Ok(Command::ChangePassword(args))
}

fn text(value: OsString) -> anyhow::Result<String> {
    value.into_string().map_err(|_| Stop::Usage("an argument is not UTF-8".to_owned()).into())
}

/// The error for a wrong command line, without the values in it: one may be a password.
fn usage(error: lexopt::Error) -> anyhow::Error {
    let why = match error {
        lexopt::Error::UnexpectedArgument(_) => "unexpected argument".to_owned(),
        lexopt::Error::UnexpectedValue { option, .. } => format!("{option} takes no value"),
        other => other.to_string(),
    };
    Stop::Usage(format!("{why}\n  see the usage: {} --help", name())).into()
}

fn overview() -> String {
    let name = name();
    format!(
        "\
usage: {name} VERB

  migrate          apply the embedded migrations and seeds
  check            compare the database with them (read-only)
  createsuperuser  create an account with every permission
  changepassword   set a new password for an account, and end its sessions

{name} VERB --help shows more. DATABASE_URL names the database.
{CODES}"
    )
}

fn verb_help(usage: &str, help: &str) -> String {
    let name = name();
    format!("usage: {name} {usage}\n\n{help}\n\nDATABASE_URL names the database.\n{CODES}")
}
