//! The ledger has sqlx's own format: sqlx's `Migrator` accepts what we applied, and we accept what it applied.

use migrations::{Session, Settings, Target};
use sqlx::{
    Connection,
    migrate::{Migrate, Migrator},
};
use tests::TestDatabase;

use crate::{
    checkout::Checkout,
    fixture,
    snapshot::{shape, snapshot},
};

/// The apps in an order in which their folders can run one after the other.
pub(crate) const APPS: [&str; 3] = ["people", "library", "loans"];

/// The migrator that sqlx-cli builds from an app's folder and its `sqlx.toml`.
pub(crate) async fn migrator(app: &str) -> Migrator {
    let folder = fixture::folder().join(app);
    let settings: toml::Table = std::fs::read_to_string(folder.join("sqlx.toml")).unwrap().parse().unwrap();
    let settings = &settings["migrate"];
    let mut migrator = Migrator::new(folder).await.unwrap();
    migrator.dangerous_set_table_name(settings["table-name"].as_str().unwrap().to_owned());
    for schema in settings["create-schemas"].as_array().unwrap() {
        migrator.create_schema(schema.as_str().unwrap().to_owned());
    }
    migrator
}

pub(crate) async fn rows(db: &TestDatabase) -> Vec<(i64, String, bool, Vec<u8>)> {
    let mut rows = Vec::new();
    for app in APPS {
        let sql = format!("select version, description, success, checksum from migrations.{app} order by 1");
        rows.extend(sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(db.pool()).await.unwrap());
    }
    rows
}

#[test]
fn sqlx_finds_nothing_to_do_after_us() {
    tests::empty().run(async |db| {
        Checkout::new().xtask(db, &["migrate"]).expect(0, &[]);
        let before = snapshot(db).await;
        for app in APPS {
            migrator(app).await.run(db.pool()).await?;
        }
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn we_find_nothing_to_do_after_sqlx() {
    tests::empty().run(async |db| {
        for app in APPS {
            migrator(app).await.run(db.pool()).await?;
        }
        let checkout = Checkout::new();
        let before = snapshot(db).await;
        checkout.xtask(db, &["migrate"]).expect(0, &["5 migrations", "0 pending"]);
        checkout
            .xtask(db, &["db-check"])
            .expect(3, &["db-check: 5 differences", "10 seeded rows of roles_permissions"]);
        assert_eq!(before, snapshot(db).await);
        Ok(())
    });
}

#[test]
fn both_write_the_same_rows_and_the_same_schema() {
    let (mut ours, mut theirs) = Default::default();
    tests::empty().run(async |db| {
        Checkout::new().xtask(db, &["migrate"]).expect(0, &[]);
        ours = (rows(db).await, shape(db).await);
        Ok(())
    });
    tests::empty().run(async |db| {
        for app in APPS {
            migrator(app).await.run(db.pool()).await?;
        }
        theirs = (rows(db).await, shape(db).await);
        Ok(())
    });
    assert_eq!(ours, theirs);
}

#[test]
fn each_reverts_what_the_other_applied() {
    tests::empty().run(async |db| {
        let checkout = Checkout::new();
        checkout.xtask(db, &["migrate"]).expect(0, &[]);
        let whole = shape(db).await;
        migrator("library").await.undo(db.pool(), 1).await?;
        checkout.xtask(db, &["showmigrations"]).expect(0, &["[ ] 0002_add_manager"]);
        migrator("library").await.run(db.pool()).await?;
        checkout.xtask(db, &["migrate", "library", "0001"]).expect(0, &["reverted"]);
        checkout.xtask(db, &["migrate"]).expect(0, &["library/0002_add_manager", "applied"]);
        assert_eq!(whole, shape(db).await);
        Ok(())
    });
}

#[test]
fn a_migrator_of_sqlx_waits_while_we_migrate() {
    tests::empty().run(async |db| {
        let project = fixture::project();
        let mut session = Session::connect(&db.options(), Settings::default()).await?;
        let mut other = db.pool().acquire().await?.detach();
        let mut locked_out = None;
        // Tries for the lock in the middle of our migration, on another thread, since this thread's runtime is busy then.
        let options = db.options();
        session
            .migrate(&project, &Target::Latest, &mut |_| {
                locked_out.get_or_insert_with(|| {
                    let options = options.clone();
                    std::thread::spawn(move || {
                        let runtime =
                            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                        runtime.block_on(async {
                            let mut conn = sqlx::PgConnection::connect_with(&options).await.unwrap();
                            sqlx::query("set lock_timeout = '50ms'").execute(&mut conn).await.unwrap();
                            conn.lock().await.is_err()
                        })
                    })
                    .join()
                    .unwrap()
                });
            })
            .await?;
        assert_eq!(locked_out, Some(true));
        sqlx::query("set lock_timeout = '5s'").execute(&mut other).await?;
        other.lock().await?;
        Ok(())
    });
}
