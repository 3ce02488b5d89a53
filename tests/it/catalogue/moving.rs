//! A database that changes while it is read: a reading is one state of it.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use catalogue::{Catalogue, Scope};
use sqlx::PgConnection;

use super::{connect, read, run};

/// Renames everything with a number in its name to the next one, and makes views and functions with it.
fn next(n: u32) -> String {
    let m = n + 1;
    format!(
        "begin;
         alter table one_{n} rename to one_{m}; alter table two_{n} rename to two_{m};
         alter table one_{m} rename a_{n} to a_{m}; alter table one_{m} rename constraint k_{n} to k_{m};
         alter index i_{n} rename to i_{m}; alter type e_{n} rename to e_{m}; alter type e_{m} rename value 'v_{n}' to 'v_{m}';
         drop view v_{n}; create view v_{m} as select a_{m} from one_{m}, two_{m};
         alter function f_{n} rename to f_{m}; comment on table two_{m} is 'c_{m}';
         drop function g_{n}; create function g_{m}() returns int language sql begin atomic select count(*) from two_{m}; select {m}; end;
         commit;\n"
    )
}

const READINGS: u32 = 50;

/// Two sessions, of which one reads and the other changes something at the same time.
struct Sessions {
    reader: PgConnection,
    writer: PgConnection,
    /// How long the last reading took, on this machine and with the load that it has now.
    reading: Duration,
}

impl Sessions {
    async fn connect(db: &tests::TestDatabase) -> Sessions {
        Sessions { reader: connect(db).await, writer: connect(db).await, reading: Duration::ZERO }
    }

    /// The `n`th reading: the change begins in another part of it each time, from the first to the last.
    async fn read_during(&mut self, n: u32, change: &str) -> sqlx::Result<Catalogue> {
        let change = async {
            tokio::time::sleep(self.reading * n / READINGS).await;
            run(&mut self.writer, change).await
        };
        let reading = async {
            let start = Instant::now();
            (read(&mut self.reader).await, start.elapsed())
        };
        let ((found, reading), changed) = tokio::join!(reading, change);
        self.reading = reading;
        changed.map(|()| found)
    }
}

#[test]
fn a_database_that_changes_while_it_is_read_is_read_in_one_state() {
    tests::empty().run(async |db| {
        let mut sessions = Sessions::connect(db).await;
        let first = "create type e_0 as enum ('v_0'); create function f_0() returns int immutable language sql as 'select 1';
             create table one_0 (a_0 int default f_0(), b e_0 default 'v_0', constraint k_0 check (a_0 > f_0()));
             create index i_0 on one_0 ((a_0 + f_0())) where b <> 'v_0'; create table two_0 ();
             create view v_0 as select a_0 from one_0, two_0; comment on table two_0 is 'c_0';
             create function g_0() returns int language sql begin atomic select count(*) from two_0; select 0; end;\n";
        run(&mut sessions.writer, first).await?;
        let mut during = 0;
        for n in 0..READINGS {
            let text = sessions.read_during(n, &next(n)).await?.text(Scope::Exact);
            let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
            let numbers = words.filter_map(|word| word.split_once('_')).filter_map(|(_, n)| n.parse().ok());
            let states: BTreeSet<u32> = numbers.collect();
            assert!(states.len() == 1 && [n, n + 1].contains(states.first().unwrap()), "{states:?} in {text}");
            during += u32::from(states.contains(&n));
        }
        // Otherwise each change came before the reading, and none could have been seen in the middle of it.
        assert!(during > 0, "every reading began after its change");
        Ok(())
    });
}

#[test]
fn tables_and_views_that_come_and_go_in_pairs_are_read_in_pairs() {
    tests::empty().run(async |db| {
        let mut sessions = Sessions::connect(db).await;
        for n in 0..READINGS {
            let change = match n % 2 {
                0 => "begin; create table one (a int default 1); create view two as select a from one; commit;\n",
                _ => "begin; drop view two; drop table one; commit;\n",
            };
            let text = sessions.read_during(n, change).await?.text(Scope::Exact);
            let parts = ["table public.one", "view public.two", "column public.one.a", "column public.two.a"];
            let present = parts.iter().filter(|part| text.contains(**part)).count();
            assert!(present == 0 || present == 4, "{text}");
            assert_eq!(present == 4, text.contains("definition"), "{text}");
        }
        Ok(())
    });
}
