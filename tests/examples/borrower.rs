//! A process that borrows databases, for tests of what happens where many do, and where one is killed.
//!
//! `borrower CONTENT TIMES END SQL…` borrows so many databases of this content, one after another. For each it prints a line:
//! its name, and what the statements answer. CONTENT may name a project, `FOLDER=seeded`. END says what it does with each in
//! the end: `pass`, `fail`, `panic`, or `wait` until standard input ends and then run all statements once more.

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
        let (project, content) = match content.split_once('=') {
            Some((folder, content)) => (tests::project(folder), content),
            None => (tests::Project::default(), &content[..]),
        };
        let setup = match content {
            "transaction" => {
                project.with_transaction(async |conn| script.run(conn).await);
                continue;
            }
            "seeded" => project.seeded(),
            "unseeded" => project.unseeded(),
            "empty" => project.empty(),
            "recycled" => project.recycled(),
            migration => project.at(migration),
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
        let mut answers = vec![name];
        for sql in &self.statements {
            let rows = sqlx::raw_sql(AssertSqlSafe(sql.clone())).fetch_all(&mut *conn).await?;
            answers.extend(rows.iter().map(first));
        }
        println!("{}", answers.join(" "));
        Ok(())
    }
}

fn first(row: &PgRow) -> String {
    row.try_get_raw(0).unwrap().as_str().unwrap_or("null").to_owned()
}
