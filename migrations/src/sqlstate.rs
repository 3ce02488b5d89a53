//! SQLSTATEs whose cause lies outside of the SQL that met them: what they mean, what helps, and whether trying again does.

use std::borrow::Cow;

/// What trying again does about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// Nothing by itself.
    Useless,
    /// The same transaction may succeed: another session was in its way.
    Transaction,
    /// The same connection may succeed in a moment.
    Connection,
}

/// A SQLSTATE, or all of a class, which its first two characters name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Known {
    /// The code, or its class.
    pub code: &'static str,
    /// What happened, as a clause.
    pub meaning: &'static str,
    /// What to do, as a clause.
    pub help: &'static str,
    /// Whether to try again.
    pub again: Again,
}

const fn entry(code: &'static str, again: Again, meaning: &'static str, help: &'static str) -> Known {
    Known { code, meaning, help, again }
}

/// Codes before their classes.
const TABLE: &[Known] = &[
    entry(
        "40001",
        Again::Transaction,
        "transactions of other sessions changed what it read",
        "run the same command again when they are done",
    ),
    entry(
        "40P01",
        Again::Transaction,
        "it and another session waited for each other's locks",
        "run the same command again when that one is done",
    ),
    entry(
        "55P03",
        Again::Transaction,
        "another session holds a lock that it needs",
        "run the same command again when that one is done",
    ),
    entry(
        "57014",
        Again::Useless,
        "it took longer than the statement timeout allows, or a person cancelled it",
        "raise that timeout, or make it quicker",
    ),
    entry("57P01", Again::Useless, "an administrator ended the session", "run the same command again"),
    entry(
        "57P02",
        Again::Useless,
        "the server restarts after a crash",
        "read the server's log, then run the same command again",
    ),
    entry(
        "57P03",
        Again::Connection,
        "the server is starting, stopping or recovering",
        "run the same command again in a moment",
    ),
    entry(
        "53100",
        Again::Useless,
        "the server's disk is full",
        "free space there, then run the same command again",
    ),
    entry(
        "53200",
        Again::Useless,
        "the server is out of memory or of places for locks",
        "run the same command again when it has less to do, or raise its limits",
    ),
    entry(
        "53300",
        Again::Connection,
        "the server, the database or the role has no connection left",
        "end sessions that are not needed, or raise the limit, then run the same command again",
    ),
    entry(
        "53",
        Again::Useless,
        "the server lacks a resource",
        "look at the server, then run the same command again",
    ),
    entry(
        "25006",
        Again::Useless,
        "this connection is read-only: the server is a standby, or default_transaction_read_only is on for this role or \
         database",
        "connect to the primary server, or have that setting switched off",
    ),
    entry(
        "42501",
        Again::Useless,
        "the role lacks that right",
        "connect as a role that may, such as the database's owner, or have the owner give the role that right",
    ),
    entry("08", Again::Useless, "the connection broke", "run the same command again when the server answers"),
    entry(
        "58",
        Again::Useless,
        "the server's machine failed it",
        "read the server's log, then run the same command again",
    ),
    entry("XX", Again::Useless, "the server failed internally", "read the server's log"),
];

/// What is known of a SQLSTATE. `None`: the SQL or the rows that it met are to blame.
pub fn lookup(code: &str) -> Option<&'static Known> {
    TABLE.iter().find(|known| code.starts_with(known.code))
}

/// The SQLSTATE of an error; `None` if it is not Postgres's.
pub fn code(error: &sqlx::Error) -> Option<Cow<'_, str>> {
    error.as_database_error()?.code()
}

/// Whether an error has this SQLSTATE.
pub fn is(error: &sqlx::Error, wanted: &str) -> bool {
    code(error).is_some_and(|code| code == wanted)
}

/// Whether an error of Postgres is one for which this kind of try may succeed.
pub fn may_succeed(error: &sqlx::Error, again: Again) -> bool {
    code(error).is_some_and(|code| lookup(&code).is_some_and(|known| known.again == again))
}
