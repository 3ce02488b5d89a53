//! The sequences whose numbers the rows of the apps have: finding them, and reading and setting where they stand.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::{Address, Body, Catalogue, Kind};
use migrations::{Error, Project};
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::{
    database::sql::qualified,
    rows::{
        emptying::with_partitions,
        tables::{Table, execute, owned_tables},
    },
};

/// A sequence that goes with the rows of some tables.
#[derive(Debug, Clone)]
pub(crate) struct Sequence {
    address: Address,
    increment: i64,
    /// Whether something besides those tables may have its numbers.
    shared: bool,
}

/// Where a sequence stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SequenceState {
    /// Its name, with its schema unless that is `public`.
    pub(crate) sequence: String,
    /// The last number, or the first one if `is_called` is false.
    pub(crate) last_value: i64,
    pub(crate) is_called: bool,
}

/// Returns the sequences that go with the rows of these tables: those that a column of one owns or takes numbers from, and, if
/// these are all tables of the apps, also those that no table is known to use, since a function may.
pub(crate) fn used_by(schema: &Catalogue, project: &Project, tables: &[Table]) -> Vec<Sequence> {
    let ours = with_partitions(schema, tables);
    let owned = owned_tables(project);
    let whole = schema
        .of_kind(Kind::Table)
        .map(|table| &table.address)
        .all(|table| !owned.contains(&table.typed()) || ours.contains(table));
    let takers = takers(schema);
    let sequences = schema.of_kind(Kind::Sequence).filter_map(|object| {
        let Body::Sequence(sequence) = &object.body else { return None };
        let owner = sequence.owned_by.as_ref().map(|owner| &owner.table);
        let taking = takers.get(&object.address).into_iter().flatten().copied();
        let users: BTreeSet<&Address> = owner.into_iter().chain(taking).collect();
        let goes_along = users.iter().any(|user| ours.contains(*user)) || (users.is_empty() && whole);
        goes_along.then(|| Sequence {
            address: object.address.clone(),
            increment: sequence.increment,
            shared: !users.iter().all(|user| ours.contains(*user)) || (owner.is_none() && !whole),
        })
    });
    sequences.collect()
}

/// For each sequence the tables with a column whose default takes numbers from it.
fn takers(schema: &Catalogue) -> BTreeMap<&Address, Vec<&Address>> {
    let mut takers: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
    for column in schema.of_kind(Kind::Column) {
        for need in column.needs.iter().filter(|need| need.on.kind == Kind::Sequence) {
            if let Some(table) = schema.table_of(&column.address) {
                takers.entry(&need.on).or_default().push(&table.address);
            }
        }
    }
    takers
}

impl Sequence {
    fn name(&self) -> String {
        self.address.name_within("public")
    }

    /// Reads where it stands now, whatever the transaction sees of the tables.
    pub(crate) async fn state(&self, conn: &mut PgConnection) -> anyhow::Result<SequenceState> {
        let sql = format!("select last_value, is_called from {}", qualified(&self.address));
        let state = sqlx::query_as(AssertSqlSafe(sql)).fetch_one(conn).await;
        let (last_value, is_called) = state.map_err(Error::database("read a sequence"))?;
        Ok(SequenceState { sequence: self.name(), last_value, is_called })
    }

    /// Restarts it with its first number. A rollback undoes this, since the sequence gets a new file.
    pub(crate) async fn restart(&self, conn: &mut PgConnection) -> anyhow::Result<()> {
        execute(conn, &format!("alter sequence {} restart", qualified(&self.address)), "restart a sequence")
            .await
    }

    /// Puts it where it stood, but not back behind numbers that rows outside the dump may have.
    async fn set(&self, conn: &mut PgConnection, state: &SequenceState) -> anyhow::Result<()> {
        if self.shared && self.next(&self.state(conn).await?) >= self.next(state) {
            return Ok(());
        }
        // `setval` alone would survive a rollback.
        self.restart(conn).await?;
        let set = sqlx::query("select setval($1::regclass, $2, $3)").bind(qualified(&self.address));
        let set = set.bind(state.last_value).bind(state.is_called).execute(conn).await;
        set.map_err(Error::database("set a sequence"))?;
        Ok(())
    }

    /// How far a state is, in the sequence's own direction.
    fn next(&self, state: &SequenceState) -> i128 {
        let step = i128::from(self.increment);
        let next = i128::from(state.last_value) + if state.is_called { step } else { 0 };
        next * step.signum()
    }
}

/// Puts each sequence where it stood, and returns the states of sequences that do not exist here.
pub(crate) async fn set<'s>(
    conn: &mut PgConnection,
    sequences: &[Sequence],
    states: &'s [SequenceState],
) -> anyhow::Result<Vec<&'s SequenceState>> {
    let mut missing = Vec::new();
    for state in states {
        match sequences.iter().find(|sequence| sequence.name() == state.sequence) {
            Some(sequence) => sequence.set(conn, state).await?,
            None => missing.push(state),
        }
    }
    Ok(missing)
}
