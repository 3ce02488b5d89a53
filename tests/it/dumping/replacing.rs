//! Loading into tables that hold rows: only on request, and never if rows of other tables refer to them.

use sqlx::{ConnectOptions, Executor, query_scalar};

use super::{dump, fill, trigger_states};
use crate::{checkout::Checkout, fixture::with_database, snapshot::snapshot};

#[test]
fn a_load_replaces_rows_only_on_request() {
    with_database(async |db| {
        let checkout = Checkout::new();
        let folder = dump(&checkout, db, "dump");
        fill(db).await;
        let before = snapshot(db).await;
        let said = &[
            "refused: the tables hold rows: ",
            "events 13 rows, roles_permissions 11 rows, permissions 7 rows",
            "and 4 more tables",
            "nothing was touched",
            "--replace",
        ];
        checkout.xtask(db, &["loaddata", &folder]).expect(4, said);
        assert_eq!(before, snapshot(db).await);
        let sql = format!("comment on database {} is 'environment=production created=2026-03-02'", db.name());
        db.pool().execute(sqlx::AssertSqlSafe(sql)).await?;
        let confirm = format!("--replace --confirm {}", db.name());
        checkout
            .xtask(db, &["loaddata", &folder, "--replace"])
            .expect(4, &["refused: ", "marked `production`", "would destroy rows", &confirm]);
        assert_eq!(before, snapshot(db).await);
        checkout.xtask(db, &["loaddata", &folder, "--replace", "--confirm", db.name()]).expect(0, &[]);
        let people: i64 = query_scalar("select count(*) from people").fetch_one(db.pool()).await?;
        assert_eq!(people, 0);
        Ok(())
    });
}

#[test]
fn a_load_refuses_to_replace_rows_that_tables_outside_the_dump_refer_to() {
    with_database(async |db| {
        let checkout = Checkout::new();
        fill(db).await;
        let folder = checkout.root().join("dump").display().to_string();
        checkout
            .xtask(db, &["dumpdata", "roles", "roles_permissions", "permissions", "--output", &folder])
            .expect(0, &[]);
        let before = (snapshot(db).await, trigger_states(db).await);
        let said = &[
            "constraint people_roles_role_id_fkey of table people_roles, which refers to roles (1 row)",
            "nothing was touched",
        ];
        checkout.xtask(db, &["loaddata", &folder, "--replace"]).expect(4, said);
        assert_eq!(before, (snapshot(db).await, trigger_states(db).await));
        // A table outside the dump does not matter if none of its rows refers to the replaced ones.
        db.pool().execute("delete from people_roles").await?;
        let before = (snapshot(db).await, trigger_states(db).await);
        checkout.xtask(db, &["loaddata", &folder, "--replace"]).expect(0, &["3 tables"]);
        assert_eq!(before, (snapshot(db).await, trigger_states(db).await));
        Ok(())
    });
}

#[test]
fn a_load_replaces_cyclic_tables_with_deferred_keys() {
    with_database(async |db| {
        let checkout = Checkout::new();
        db.pool()
            .execute(sqlx::raw_sql(
                "alter table people drop constraint people_branch_id_fkey,
                 add constraint people_branch_id_fkey foreign key (branch_id) references branches deferrable initially deferred;
                 insert into people (email, name) values ('a@x.org', 'a');
                 insert into branches (name, slug, manager_id) select 'O', 'o', id from people;
                 update people set branch_id = (select id from branches)",
            ))
            .await?;
        let folder = checkout.root().join("dump").display().to_string();
        let tables = ["dumpdata", "people/people", "library/branches", "--output", &folder];
        checkout.xtask(db, &tables).expect(0, &[]);
        let before = (snapshot(db).await, trigger_states(db).await);
        checkout.xtask(db, &["loaddata", &folder, "--replace"]).expect(0, &["2 tables"]);
        assert_eq!(before, (snapshot(db).await, trigger_states(db).await));
        Ok(())
    });
}

#[test]
fn a_load_fires_constraint_triggers_and_no_others() {
    with_database(async |db| {
        let checkout = Checkout::new();
        fill(db).await;
        let folder = dump(&checkout, db, "dump");
        db.pool()
            .execute(sqlx::raw_sql(
                "create function no_b() returns trigger language plpgsql as $$ begin
                     if new.name = 'b' then raise 'no b here'; end if; return new; end $$;
                 create constraint trigger no_b after insert on people deferrable initially deferred
                 for each row execute function no_b()",
            ))
            .await?;
        let before = (snapshot(db).await, trigger_states(db).await);
        checkout.xtask(db, &["loaddata", &folder, "--replace"]).expect(1, &["no b here"]);
        assert_eq!(before, (snapshot(db).await, trigger_states(db).await));
        Ok(())
    });
}

#[test]
fn loads_and_dumps_give_up_waiting_for_a_locked_table_and_name_the_holder() {
    with_database(async |db| {
        let checkout = Checkout::new();
        let folder = dump(&checkout, db, "dump");
        let mut holder = db.options().application_name("my server").connect().await?;
        holder.execute("begin; lock table roles in access exclusive mode").await?;
        let said = &["gave up waiting", "table roles", "application `my server`", "nothing was touched"];
        checkout.xtask(db, &["loaddata", &folder, "--replace"]).expect(5, said);
        checkout.xtask(db, &["dumpdata", "--output", &format!("{folder}2")]).expect(5, said);
        assert!(!checkout.root().join("dump2").exists());
        Ok(())
    });
}
