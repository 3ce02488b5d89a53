//! What the model says of tables as wholes, and of tables and keys at its edge.

use catalogue::{Body, Kind, Object};

use super::{connect, run};

fn names<'c>(objects: impl IntoIterator<Item = &'c Object>) -> Vec<String> {
    objects.into_iter().map(|object| object.address.name()).collect()
}

#[test]
fn a_foreign_key_to_a_table_that_is_left_out_is_read() {
    tests::empty().run(async |db| {
        let mut conn = connect(db).await;
        let make = "create schema ledger; create table ledger.applied (version bigint primary key);
            create table t (version bigint references ledger.applied);
            create table of_extension (id int primary key); create table u (id int references of_extension);
            create extension citext; alter extension citext add table of_extension;\n";
        run(&mut conn, make).await?;
        let catalogue = migrations::schema::read(&mut conn, &["ledger"]).await.unwrap();
        assert_eq!(names(catalogue.of_kind(Kind::Table)), ["public.t", "public.u"]);
        let keys = catalogue.of_kind(Kind::Constraint).map(|it| match &it.body {
            Body::Constraint(key) => key.references.as_ref().unwrap().to_string(),
            _ => unreachable!(),
        });
        assert_eq!(keys.collect::<Vec<_>>(), ["ledger.applied (version)", "public.of_extension (id)"]);
        Ok(())
    });
}
