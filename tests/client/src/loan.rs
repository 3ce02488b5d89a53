//! A database that a test has for a while.

use std::{error::Error as _, io, thread};

use crate::{
    Error,
    checkout::SERVER,
    line::Line,
    passwords,
    protocol::{Answer, Request, Usage},
    recipe::Recipe,
    service::connect,
};

/// How many services may be killed while a test waits for its database.
const TRIES: usize = 5;

/// A database that a test has for a while. It is removed when this is dropped, or when the process ends.
///
/// If that happens in a panic the database stays, and the output shows how to open and remove it.
#[derive(Debug)]
#[must_use = "the database is removed when this is dropped"]
pub struct Loan {
    line: Line,
    url: String,
    usage: Usage,
    /// What becomes of the database is settled.
    settled: bool,
}

impl Recipe {
    /// Lends such a database to the current test, under the name of its thread, as the test harness sets it.
    ///
    /// # Errors
    /// If no service can be reached or started, or it can't make the database.
    pub fn lend(&self) -> Result<Loan, Error> {
        let thread = std::thread::current();
        self.lend_to(thread.name().unwrap_or("a test"))
    }

    /// The same under another name.
    ///
    /// # Errors
    /// As [`Recipe::lend`].
    pub fn lend_to(&self, test: &str) -> Result<Loan, Error> {
        self.lend_for(Usage::Own, test)?.ok_or_else(|| {
            Error::new(format!(
                "{SERVER} names a server, and no service lends databases of it\n  run the tests by `cargo xtask test`, \
                 which starts one, or unset {SERVER}"
            ))
        })
    }

    /// The same for this usage; `None` if the environment names a test server, and no service of it answers.
    ///
    /// # Errors
    /// As [`Recipe::lend`].
    pub fn lend_for(&self, usage: Usage, test: &str) -> Result<Option<Loan>, Error> {
        let mut tries = 0;
        loop {
            let Some(line) = connect()? else { return Ok(None) };
            tries += 1;
            match Loan::take(line, self, usage, test) {
                // It was killed while we waited: there is another by now, or we start one.
                Err(error) if tries < TRIES && is_of_connection(&error) => {}
                done => return done.map(Some),
            }
        }
    }
}

/// Whether the other end is gone, rather than that it refused.
fn is_of_connection(error: &Error) -> bool {
    error.source().is_some_and(<dyn std::error::Error>::is::<io::Error>)
}

impl Loan {
    /// Takes a database over an open connection.
    ///
    /// # Errors
    /// If the service is gone, or can't make one.
    pub fn take(mut line: Line, recipe: &Recipe, usage: Usage, test: &str) -> Result<Loan, Error> {
        let request = Request::Take { recipe: recipe.clone(), usage, test: test.to_owned() };
        match line.ask(&request)? {
            Answer::Lent { url } => Ok(Loan { line, url, usage, settled: false }),
            answer => Err(Error::new(format!(
                "expected the service to lend a database, but it answered {answer:?}"
            ))),
        }
    }

    /// The database's connection string, password included.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Leaves the database for people to look at, and prints how to open and remove it.
    pub fn keep(mut self) {
        self.keep_and_explain();
    }

    /// Gives the database back for the next test: the caller has cleaned it.
    ///
    /// # Errors
    /// If the service is gone.
    pub fn give_back_cleaned(mut self) -> Result<(), Error> {
        self.settle(&Request::Cleaned)
    }

    /// Has the service lend the shared database to no other test: the caller has written to it.
    ///
    /// # Errors
    /// If the service is gone.
    pub fn spoilt(mut self) -> Result<(), Error> {
        self.settle(&Request::Spoilt)
    }

    fn settle(&mut self, request: &Request) -> Result<(), Error> {
        self.settled = true;
        self.line.ask(request).map(drop)
    }

    #[expect(clippy::print_stderr, reason = "a test has no other way to report this")]
    fn keep_and_explain(&mut self) {
        match self.settle(&Request::Keep) {
            Ok(()) => {
                let server = self.url.split('?').next().unwrap_or_default();
                let name = server.rsplit('/').next().unwrap_or_default();
                let (psql, url) = passwords::psql(&self.url);
                eprintln!(
                    "kept the database of this failed test\n  open it:   {psql} '{url}'\n  remove it: {psql} '{}' --command 'drop database {name}'",
                    url.replace(name, "postgres"),
                );
            }
            Err(error) => eprintln!("the database of this failed test could not be kept: {error:?}"),
        }
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        if self.settled || !thread::panicking() {
            // The service removes the database when the connection ends, which is now.
            return;
        }
        match self.usage {
            Usage::Own => self.keep_and_explain(),
            // The test may have ended its transaction before it failed.
            Usage::Transaction => drop(self.settle(&Request::Spoilt)),
        }
    }
}
