//! `adopt` records only the migrations whose schema the database provably holds.

mod meanwhile;

use migrations::{Error, Ledger, Session, Settings, Target};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor, PgConnection};
use tests::TestDatabase;

use crate::{
    checkout::Checkout,
    fixture,
    interop::{APPS, migrator, rows},
    snapshot::snapshot,
};

const ALL: [&str; 5] = [
    "people/0001_initial",
    "library/0001_initial",
    "library/0002_add_manager",
    "library/0003_index_staff",
    "loans/0001_initial",
];

/// Migrates a database with these arguments of `migrate`, and then removes its ledger.
async fn without_ledger(checkout: &Checkout, db: &TestDatabase, to: &[&str]) {
    checkout.xtask(db, &[&["migrate"], to].concat()).expect(0, &[]);
    db.pool().execute("drop schema migrations cascade").await.unwrap();
}

async fn exists(db: &TestDatabase, what: &str) -> bool {
    sqlx::query_scalar(AssertSqlSafe(format!("select exists ({what})"))).fetch_one(db.pool()).await.unwrap()
}

fn json(checkout: &Checkout, db: &TestDatabase, code: i32, args: &[&str]) -> Value {
    let outcome = checkout.xtask(db, &[args, &["--format", "json"]].concat());
    serde_json::from_str(&outcome.expect(code, &[]).stdout).unwrap()
}

#[test]
fn adopt_writes_the_same_ledger_rows_as_migrate() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let ran = rows(db).await;
        db.pool().execute("drop schema migrations cascade").await?;
        // It leaves no ledger behind.
        checkout.xtask(db, &["migrate"]).expect(1, &["already exists", "record it: cargo xtask adopt"]);
        checkout.xtask(db, &["adopt"]).expect(0, &ALL).expect(0, &["adopted"]);
        assert_eq!(ran, rows(db).await);
        let before = snapshot(db).await;
        checkout.xtask(db, &["migrate", "--check"]).expect(0, &["nothing is left to do"]);
        checkout
            .xtask(db, &["db-check"])
            .expect(3, &["10 seeded rows of roles_permissions", "cargo xtask seed"]);
        checkout.xtask(db, &["adopt"]).expect(0, &["5 migrations", "0 pending"]);
        for app in APPS {
            migrator(app).await.run(db.pool()).await?;
        }
        assert_eq!(before, snapshot(db).await);
        checkout.xtask(db, &["migrate", "people", "zero"]).expect(0, &["loans/0001_initial"]);
        Ok(())
    });
}

#[test]
fn adopt_refuses_a_database_that_differs_and_lists_each_difference() {
    for (spoil, said) in [
        (
            "alter table loans drop column metadata",
            &["as after loans/0001_initial", "missing     column public.loans.metadata: data type jsonb"]
                as &[_],
        ),
        (
            "alter table loans alter column fee type real",
            &[
                "differs     column public.loans.fee: data type",
                "expected  double precision",
                "found     real",
            ],
        ),
        (
            "create index loans_extra_idx on loans (fee)",
            &["unexpected  index public.loans_extra_idx: table public.loans; method btree; keys fee"],
        ),
        ("create table stray (id int)", &["unexpected  table public.stray"]),
        (
            "alter table branches disable trigger all",
            &[
                "differs     constraint public.branches.branches_manager_id_fkey: triggers",
                "found     disabled",
            ],
        ),
        (
            "alter table loans alter column state drop default",
            &["differs     column public.loans.state: default", "found     nothing", "nothing was recorded"],
        ),
    ] {
        tests::empty().run(async |db| {
            let checkout = Checkout::new();
            checkout.xtask(db, &["migrate"]).expect(0, &[]);
            db.pool().execute("delete from migrations.library where version > 1").await?;
            db.pool().execute("delete from migrations.loans").await?;
            db.pool().execute(spoil).await?;
            let before = snapshot(db).await;
            checkout.xtask(db, &["adopt"]).expect(3, said);
            checkout.xtask(db, &["adopt", "loans", "0001"]).expect(3, &["nothing was recorded"]);
            assert_eq!(before, snapshot(db).await, "{spoil}");
            Ok(())
        });
    }
}

#[test]
fn adopting_a_part_suggests_adopting_everything_if_the_database_holds_more() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        without_ledger(&checkout, db, &[]).await;
        let refused = checkout.xtask(db, &["adopt", "library", "0001"]);
        refused.expect(3, &["unexpected  table public.loans", "adopt that too: cargo xtask adopt\n"]);
        checkout.xtask(db, &["adopt"]).expect(0, &ALL);
        Ok(())
    });
}

#[test]
fn adopt_records_what_the_database_holds_and_migrate_runs_the_rest() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        without_ledger(&checkout, db, &["library", "0001"]).await;
        checkout
            .xtask(db, &["adopt"])
            .expect(0, &ALL[..2])
            .expect(0, &["3 migrations stay pending, library/0002_add_manager first"]);
        checkout.xtask(db, &["migrate"]).expect(0, &ALL[2..]);
        checkout.xtask(db, &["seed"]).expect(0, &[]);
        checkout.xtask(db, &["db-check"]).expect(0, &[]);
        Ok(())
    });
}

#[test]
fn adopt_records_a_named_migration_and_its_dependencies_only() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        // The whole plan has no such prefix, since `library` comes before `loans`.
        without_ledger(&checkout, db, &["loans"]).await;
        let before = snapshot(db).await;
        checkout.xtask(db, &["adopt", "library", "0001"]).expect(
            3,
            &[
                "as after library/0001_initial",
                "missing     table public.branches",
                "missing     constraint public.people",
            ],
        );
        assert_eq!(before, snapshot(db).await);
        let report = json(&checkout, db, 0, &["adopt", "loans", "0001"]);
        assert_eq!(report["adopted"], serde_json::json!(["people/0001_initial", "loans/0001_initial"]));
        checkout.xtask(db, &["adopt", "people", "0001"]).expect(0, &["0 pending"]);
        checkout.xtask(db, &["migrate", "loans", "--check"]).expect(0, &[]);
        checkout.xtask(db, &["migrate"]).expect(0, &["library/0001_initial"]);
        checkout.xtask(db, &["seed"]).expect(0, &[]);
        checkout.xtask(db, &["db-check"]).expect(0, &[]);
        Ok(())
    });
}

#[test]
fn adopt_accepts_a_database_where_a_part_is_applied_already() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        db.pool().execute("delete from migrations.loans").await?;
        let report = json(&checkout, db, 0, &["adopt", "loans"]);
        assert_eq!(report["adopted"], serde_json::json!(["loans/0001_initial"]));
        checkout.xtask(db, &["migrate", "--check"]).expect(0, &[]);
        Ok(())
    });
}

#[test]
fn adopt_creates_no_ledger_if_the_database_holds_nothing_pending() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        let before = snapshot(db).await;
        checkout
            .xtask(db, &["adopt"])
            .expect(3, &["nothing was recorded: 5 migrations stay pending", "cargo xtask migrate"]);
        let report = json(&checkout, db, 3, &["adopt", "people", "0001"]);
        assert_eq!(report["nearest"], "people/0001_initial");
        assert_eq!(report["differences"][0]["found"], Value::Null);
        assert_eq!(before, snapshot(db).await);
        checkout.xtask(db, &["adopt", "people", "zero"]).expect(2, &["cargo xtask migrate people zero"]);
        checkout.xtask(db, &["adopt", "poeple"]).expect(1, &["did you mean `people`?"]);
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn adopt_records_a_migration_that_only_writes_rows_only_by_name() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.migration("loans/0002_fill", "update loans set fee = 1;", "select 1;");
        without_ledger(&checkout, db, &[]).await;
        checkout.xtask(db, &["adopt"]).expect(
            0,
            &["loans/0002_fill stays pending", "if its rows are there: cargo xtask adopt loans 0002_fill"],
        );
        checkout.xtask(db, &["adopt"]).expect(3, &["nothing was recorded: loans/0002_fill stays pending"]);
        let outcome = checkout.xtask(db, &["adopt", "loans", "0002"]);
        outcome.expect(0, &["loans/0002_fill leaves no trace in the catalogue, so its rows are not proven"]);
        checkout.xtask(db, &["migrate", "--check"]).expect(0, &[]);
        // `adopt` also reports such a migration if a later one is proven.
        checkout.migration("loans/0003_note", "alter table loans add column note text;", "select 1;");
        without_ledger(&checkout, db, &[]).await;
        checkout.xtask(db, &["adopt"]).expect(0, &["loans/0003_note", "loans/0002_fill leaves no trace"]);
        Ok(())
    });
}

#[test]
fn the_library_refuses_to_adopt_a_migration_without_its_dependencies() {
    tests::empty().run(async |db| {
        let project = fixture::project();
        let mut session = Session::connect(&db.options(), Settings::default()).await?;
        let before = snapshot(db).await;
        let one =
            async |_: &mut PgConnection, _: &Ledger| Ok(vec![project.migration("loans", "0001")?.id.clone()]);
        let refused: Result<(), Error> = session.adopt(&project, &mut |_| {}, one).await;
        assert!(matches!(refused, Err(Error::Ledger(_))), "{refused:?}");
        assert_eq!(before, snapshot(db).await);
        // The session has released the lock.
        session.migrate(&project, &Target::Latest, &mut |_| {}).await?;
        Ok(())
    });
}
