//! `inspect` shows the tables of a database, as text and as JSON.

use serde_json::Value;
use sqlx::Executor;
use tests::TestDatabase;

use crate::{checkout::Checkout, fixture::with_database};

#[track_caller]
fn inspect(db: &TestDatabase, args: &[&str]) -> String {
    let outcome = Checkout::new().xtask(db, &[&["inspect"], args].concat());
    outcome.expect(0, &[]).stdout.clone()
}

#[track_caller]
fn json(db: &TestDatabase, args: &[&str]) -> Vec<Value> {
    let report: Value = serde_json::from_str(&inspect(db, &[args, &["--format", "json"]].concat())).unwrap();
    report["tables"].as_array().unwrap().clone()
}

#[test]
fn without_a_name_inspect_lists_every_table_below_its_app() {
    with_database(async |db| {
        db.pool()
            .execute(sqlx::raw_sql(
                "create table stray (id int); create schema other; create table other.notes (id int);
                 comment on table stray is E'One,\\n  two.'",
            ))
            .await?;
        let text = inspect(db, &[]);
        let heads: Vec<&str> =
            text.lines().filter(|line| line.ends_with("tables") || line.ends_with("1 table")).collect();
        assert_eq!(
            heads,
            ["app people, 6 tables", "app library, 2 tables", "app loans, 1 table", "no app, 2 tables"]
        );
        let names: Vec<&str> =
            text.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
        assert_eq!((names.len(), names[0], names[9], names[10]), (11, "events", "stray", "other.notes"));
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        assert!(!text.contains("migrations."), "{text}");
        let stray = text.lines().find(|line| line.starts_with("  stray ")).unwrap();
        assert!(stray.ends_with("  1 column    One, two."), "{text}");
        Ok(())
    });
}

#[test]
fn inspect_shows_columns_constraints_indexes_and_references_of_a_table() {
    with_database(async |db| {
        let text = inspect(db, &["people/"]);
        for line in [
            "events  (app people)",
            "  id           bigint                    not null  primary key, identity always",
            "  person_id    uuid                                → people.id on delete set null",
            "  action       text                      not null",
            "  changes      jsonb                     not null  default '{}'::jsonb",
            "  check          events_action_check          action ~ '^[a-z][a-z0-9_]{1,49}$'",
            "  index          events_happened_at_idx       brin (happened_at)",
            "  primary key    roles_permissions_pkey  (role_id, permission_id)",
            "  unique index   people_email_key         (lower(email))",
            "  unique         permissions_resource_action_key  (resource, action) DEFERRABLE",
            "  referenced by  roles_permissions.permission_id",
        ] {
            assert!(text.lines().any(|printed| printed == line), "no line `{line}` in\n{text}");
        }
        assert_eq!(text.matches("(app people)").count(), 6);
        let columns = text.lines().filter(|line| line.contains("generated as status = ANY")).count();
        assert_eq!(columns, 1);
        Ok(())
    });
}

#[test]
fn keys_of_two_columns_and_disabled_triggers_are_shown() {
    with_database(async |db| {
        let make = "create table pairs (a int, b int, primary key (a, b));
            create table stray (
                a int, b int default 7,
                constraint twin foreign key (a, b) references pairs on update cascade deferrable);
                alter table stray add constraint odd check (a > 0) not valid;
            create function f() returns trigger language plpgsql as 'begin return new; end';
            create trigger \"my trigger\" before insert on stray for each row when (new.a > 1) execute function f();
            alter table stray disable trigger \"my trigger\"";
        db.pool().execute(sqlx::raw_sql(make)).await?;
        let expected = "\
stray  (no app)
  a  integer
  b  integer            default 7
  check          odd         (a > 0) NOT VALID
  foreign key    twin        (a, b) → pairs (a, b) on update cascade deferrable
  trigger        my trigger  BEFORE INSERT ON stray FOR EACH ROW WHEN ((new.a > 1)) EXECUTE FUNCTION
                             f() (disabled)
";
        assert_eq!(inspect(db, &["stray"]), expected);
        Ok(())
    });
}

#[test]
fn inspect_accepts_a_name_with_a_schema() {
    with_database(async |db| {
        db.pool().execute(sqlx::raw_sql("create schema other; create table other.people (id int)")).await?;
        assert_eq!(inspect(db, &["public.people"]), inspect(db, &["people"]));
        assert_eq!(inspect(db, &["other.people"]), "other.people  (no app)\n  id  integer\n");
        Ok(())
    });
}

#[test]
fn the_json_has_the_same_content() {
    with_database(async |db| {
        assert_eq!(json(db, &[]).len(), 9);
        let table = json(db, &["people"]).remove(0);
        assert_eq!(
            (&table["app"], &table["name"], &table["primary_key"][0]),
            (&"people".into(), &"people".into(), &"id".into())
        );
        let column = |name: &str| {
            table["columns"].as_array().unwrap().iter().find(|it| it["name"] == name).unwrap().clone()
        };
        assert_eq!(column("bio")["nullable"], true);
        assert_eq!(column("time_zone")["default"], "'UTC'::text");
        assert!(column("is_active")["generated"].as_str().unwrap().contains("status"));
        assert_eq!(table["foreign_keys"][0]["on_delete"], "set null");
        assert_eq!(table["foreign_keys"][0]["table"], "branches");
        assert_eq!(table["triggers"][0]["name"], "people_touch_updated_at");
        assert_eq!(table["indexes"].as_array().unwrap().len(), 2);
        Ok(())
    });
}

#[test]
fn an_unknown_table_is_reported_with_the_nearest_one() {
    with_database(async |db| {
        let checkout = Checkout::new();
        for (name, said) in [
            ("poeple", "there is no table `poeple`; did you mean `people`?"),
            ("zzzzzz", "there is no table `zzzzzz`\n  see which there are: cargo xtask inspect"),
            ("poeple/", "no app `poeple`; did you mean `people`?"),
        ] {
            checkout.xtask(db, &["inspect", name]).expect(1, &[said]);
        }
        db.pool().execute("drop table loans").await?;
        checkout.xtask(db, &["inspect", "loans"]).expect(
            1,
            &["table `loans` of app `loans` is not in the database", "cargo xtask showmigrations"],
        );
        Ok(())
    });
}

#[test]
fn an_empty_database_is_reported_with_the_command_that_creates_the_tables() {
    tests::empty().run(async |db| {
        assert_eq!(inspect(db, &[]), "no tables\nmake them: cargo xtask migrate\n");
        Ok(())
    });
}

#[test]
fn definitions_are_complete_and_have_no_schema_where_none_is_needed() {
    with_database(async |db| {
        let make = "create type mood as enum ('a');
            create table odd (
                a int, \"B\" text, c mood default 'a', d numeric(9,2) generated always as ((a)::numeric(9,2)) stored,
                constraint first unique nulls not distinct (a, \"B\") include (c),
                constraint second check (a > 0 or a < 7) no inherit, constraint third check (\"B\" <> 'public.x'));
            create unique index fourth on odd using btree (\"B\" collate \"C\" desc, lower(\"B\"), (a + 1)) include (c)
                nulls not distinct with (fillfactor = 70) where c = 'a';
            create function f() returns trigger language plpgsql as 'begin return new; end';
            create trigger \"T\" before insert on odd for each row execute function f();
            create trigger \"a\"\"b\" after update of \"B\" on odd for each row execute function f()";
        db.pool().execute(sqlx::raw_sql(make)).await?;
        let expected = "\
odd  (no app)
  a  integer
  B  text
  c  mood                    default 'a'::mood
  d  numeric(9,2)            generated as (a)::numeric(9,2)
  unique         first   NULLS NOT DISTINCT (a, \"B\") INCLUDE (c)
  check          second  ((a > 0) OR (a < 7)) NO INHERIT
  check          third   \"B\" <> 'public.x'
  unique index   fourth  (\"B\" COLLATE \"C\" DESC, lower(\"B\"), ((a + 1))) INCLUDE (c) NULLS NOT
                         DISTINCT WITH (fillfactor=70) WHERE (c = 'a'::mood)
  trigger        T       BEFORE INSERT ON odd FOR EACH ROW EXECUTE FUNCTION f()
  trigger        a\"b     AFTER UPDATE OF \"B\" ON odd FOR EACH ROW EXECUTE FUNCTION f()
";
        assert_eq!(inspect(db, &["odd"]), expected);
        Ok(())
    });
}
