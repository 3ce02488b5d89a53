//! A process that borrows databases, for tests of what happens where many do, and where one is killed.
//!
//! `borrower CONTENT TIMES END SQL…`: so many times, one after another, a database of this content. Of each it prints a line:
//! its name, and what the statements answer. At the end of each it does one of: `pass`, `fail`, `panic`, `wait` (until
//! standard input ends, and then asks everything once more).

#![expect(clippy::unwrap_used, reason = "a panic with its line is what a test has to say")]
#![expect(clippy::print_stdout, reason = "that is how it answers")]

use std::{env, io};

use sqlx::{AssertSqlSafe, PgConnection, Row, postgres::PgRow};

struct Script {
    end: String,
    statements: Vec<String>,
}

fn main() {
    let words: Vec<String> = env::args().skip(1).collect();
    let [content, times, end, statements @ ..] = &words[..] else { panic!("{words:?}") };
    let script = Script { end: end.clone(), statements: statements.to_vec() };
    for _ in 0..times.parse().unwrap() {
        let setup = match &content[..] {
            "transaction" => {
                tests::with_transaction(async |conn| script.run(conn).await);
                continue;
            }
            "seeded" => tests::seeded(),
            "unseeded" => tests::unseeded(),
            "empty" => tests::empty(),
            "recycled" => tests::recycled(),
            migration => tests::at(migration),
        };
        setup.run(async |db| script.run(&mut *db.pool().acquire().await?).await);
    }
}

impl Script {
    async fn run(&self, conn: &mut PgConnection) -> anyhow::Result<()> {
        self.ask(conn).await?;
        match &self.end[..] {
            "fail" => anyhow::bail!("as it should"),
            "panic" => panic!("as it should"),
            "wait" => {
                io::read_to_string(io::stdin())?;
                self.ask(conn).await
            }
            _ => Ok(()),
        }
    }

    async fn ask(&self, conn: &mut PgConnection) -> anyhow::Result<()> {
        let name: String =
            sqlx::query_scalar("select current_database()::text").fetch_one(&mut *conn).await?;
        let mut told = vec![name];
        for sql in &self.statements {
            let rows = sqlx::raw_sql(AssertSqlSafe(sql.clone())).fetch_all(&mut *conn).await?;
            told.extend(rows.iter().map(first));
        }
        println!("{}", told.join(" "));
        Ok(())
    }
}

fn first(row: &PgRow) -> String {
    row.try_get_raw(0).unwrap().as_str().unwrap_or("null").to_owned()
}
