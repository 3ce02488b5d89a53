//! Statements, and the script that they make.

use catalogue::Address;

/// What a statement does to its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It makes it.
    Create,
    /// It drops it.
    Drop,
    /// It changes it.
    Alter,
}

/// What to know about a statement before it runs on a database with rows and sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hazard {
    /// It loses these rows or values.
    DataLoss(String),
    /// It writes all rows of the table again.
    Rewrite,
    /// It reads all rows of the table.
    Scan,
    /// It keeps other sessions from writing to the table, or from using it, while it runs.
    Lock,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The SQL, without a semicolon.
    pub sql: String,
    /// The object.
    pub object: Address,
    /// What it does to the object.
    pub change: Change,
    /// What to know about it.
    pub hazards: Vec<Hazard>,
    /// Whether later statements may need it to be committed: a new value of an enumeration.
    pub commit_after: bool,
}

/// SQL with what is known about it, before it is known for which object it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sql {
    pub(crate) text: String,
    pub(crate) hazards: Vec<Hazard>,
    pub(crate) commit_after: bool,
}

impl Sql {
    pub(crate) fn with(mut self, hazard: Hazard) -> Sql {
        self.hazards.push(hazard);
        self
    }

    pub(crate) fn losing(self, what: impl Into<String>) -> Sql {
        self.with(Hazard::DataLoss(what.into()))
    }
}

impl From<String> for Sql {
    fn from(text: String) -> Sql {
        Sql { text, hazards: Vec::new(), commit_after: false }
    }
}

impl From<&str> for Sql {
    fn from(text: &str) -> Sql {
        text.to_owned().into()
    }
}

/// The statements that turn one schema into another, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Script {
    /// The statements.
    pub statements: Vec<Statement>,
}

impl Script {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    /// The whole as SQL for psql, with the beginnings and ends of its transactions. Empty if there is nothing to do.
    pub fn sql(&self) -> String {
        if self.is_empty() {
            return String::new();
        }
        // The bodies of functions may name what comes later. The search path stays: all names are qualified, but functions that
        // fill a new column or an index may find by it what their bodies name.
        let mut sql = "set check_function_bodies = off;\n\nbegin;\n\n".to_owned();
        for (at, statement) in self.statements.iter().enumerate() {
            for hazard in &statement.hazards {
                if let Hazard::DataLoss(what) = hazard {
                    sql += &format!("-- data loss: {}\n", what.replace(['\n', '\r'], " "));
                }
            }
            sql += &format!("{};\n", statement.sql);
            if statement.commit_after && at + 1 < self.statements.len() {
                sql += "\ncommit;\n\nbegin;\n\n";
            }
        }
        sql + "\ncommit;\n"
    }
}
