//! What an object needs, as the server knows it.

use catalogue::{Catalogue, Strength};

use super::{connect, read, run};

/// What an object needs, each in words: `table public.t`, with a mark if it is a part of that or goes away with it.
fn needs(catalogue: &Catalogue, address: &str) -> Vec<String> {
    let mut objects = catalogue.objects().filter(|object| object.address.to_string() == address);
    let object = objects.next().unwrap_or_else(|| panic!("there is no {address}"));
    let shown = object.needs.iter().map(|need| match need.strength {
        Strength::Normal => need.on.to_string(),
        Strength::Automatic => format!("goes with {}", need.on),
        Strength::Internal => format!("part of {}", need.on),
    });
    shown.filter(|need| need != "schema public").collect()
}

/// SQL that makes objects, one of them, and what it needs beside its schema.
const EDGES: &[(&str, &str, &[&str])] = &[
    (
        "create table t (a int, b int); create view v as select a from t",
        "view public.v",
        &["column public.t.a"],
    ),
    ("create table t (a int, b int); create view v as select t from t", "view public.v", &["table public.t"]),
    (
        "create table t (a int primary key, b int); create view v as select a, b from t group by a",
        "view public.v",
        &["column public.t.a", "column public.t.b", "constraint public.t.t_pkey"],
    ),
    (
        "create table r (a int primary key); create table t (b int references r)",
        "constraint public.t.t_b_fkey",
        &["goes with column public.t.b", "column public.r.a", "index public.r_pkey"],
    ),
    ("create table t (a int primary key)", "index public.t_pkey", &["part of constraint public.t.t_pkey"]),
    (
        "create table t (a int, b text); create index i on t (a) where b > ''",
        "index public.i",
        &["goes with column public.t.a", "goes with column public.t.b"],
    ),
    (
        "create table t (a int); create function f(int) returns int immutable language sql as 'select 1'; create index i on t (f(a))",
        "index public.i",
        &["goes with column public.t.a", "goes with table public.t", "function public.f(integer)"],
    ),
    (
        "create function f() returns int language sql as 'select 1'; create table t (a int default f())",
        "column public.t.a",
        &["function public.f()"],
    ),
    (
        "create sequence s; create table t (a int default nextval('s'))",
        "column public.t.a",
        &["sequence public.s"],
    ),
    ("create table t (a serial)", "sequence public.t_a_seq", &["goes with column public.t.a"]),
    (
        "create table t (a int generated always as identity)",
        "sequence public.t_a_seq",
        &["part of column public.t.a"],
    ),
    (
        "create table t (a int, b int generated always as (a + 1) stored)",
        "column public.t.b",
        &["column public.t.a"],
    ),
    (
        "create table t (); create function f() returns trigger language plpgsql as 'begin end';
         create trigger g after insert on t for each row execute function f()",
        "trigger public.t.g",
        &["goes with table public.t", "function public.f()"],
    ),
    (
        "create table t (a int); create function f() returns bigint language sql begin atomic select sum(a) from t; end",
        "function public.f()",
        &["column public.t.a"],
    ),
    (
        "create type e as enum (); create function f(e) returns e language sql as 'select $1'",
        "function public.f(public.e)",
        &["enum public.e"],
    ),
    (
        "create table t (a int); create policy p on t using (a > 0)",
        "policy public.t.p",
        &["goes with table public.t", "column public.t.a"],
    ),
    ("create domain d as int; create domain e as d", "domain public.e", &["domain public.d"]),
    ("create type e as enum (); create table t (a e[])", "column public.t.a", &["enum public.e"]),
    ("create table r (a int); create table t (b r)", "column public.t.b", &["table public.r"]),
    ("create type c as (a int); create table t of c", "table public.t", &["composite type public.c"]),
    ("create table p (a int); create table c () inherits (p)", "table public.c", &["table public.p"]),
    (
        "create table p (a int) partition by list (a); create table c partition of p default",
        "table public.c",
        &["goes with table public.p"],
    ),
    ("create extension citext; create table t (a citext)", "column public.t.a", &["extension citext"]),
    (
        "create extension hstore; create table t (a hstore); create index i on t using gin (a)",
        "index public.i",
        &["extension hstore", "goes with column public.t.a"],
    ),
    (
        "create function f() returns int language plpgsql as 'begin end'",
        "function public.f()",
        &["extension plpgsql"],
    ),
    (
        "create table t (a int); create publication p for table t where (a > 0)",
        "publication p",
        &["table public.t", "column public.t.a"],
    ),
];

#[test]
fn each_object_names_what_it_needs_by_column_where_the_server_does() {
    tests::empty().run(async |db| {
        let mut conn = connect(db).await;
        let mut wrong = String::new();
        for (sql, address, expected) in EDGES {
            run(&mut conn, &format!("{sql};\n")).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
            let mut found = needs(&read(&mut conn).await, address);
            found.sort();
            let mut expected: Vec<String> = expected.iter().map(|it| (*it).to_owned()).collect();
            expected.sort();
            if found != expected {
                wrong += &format!("{sql}: expected {expected:#?}, found {found:#?}\n");
            }
            let afresh = "drop schema public cascade; create schema public; drop publication if exists p;\n";
            run(&mut conn, afresh).await?;
        }
        assert!(wrong.is_empty(), "{wrong}");
        Ok(())
    });
}
