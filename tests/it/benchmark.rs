//! The benchmarks run, report every row, and leave nothing behind. No test judges the speed.

use std::{ffi::OsStr, fs};

use serde_json::Value;

use crate::checkout::{Checkout, outcome};

/// Runs a benchmark with these variables, and returns its rows, which must have these names.
#[track_caller]
fn rows(checkout: &Checkout, args: &[&str], variables: &[(&str, &OsStr)], names: &[&str]) -> Vec<Value> {
    let words = [&["bench"], args, &["--format", "json"]].concat();
    let printed = outcome(&checkout.bare_command_in(&words, variables));
    let report: Value = serde_json::from_str(&printed.expect(0, &[]).stdout).unwrap();
    let rows = report["rows"].as_array().unwrap();
    let found: Vec<&str> = rows.iter().map(|row| row["what"].as_str().unwrap()).collect();
    assert_eq!(found, names);
    rows.clone()
}

#[test]
fn the_benchmark_measures_every_row_on_a_server_of_its_own() {
    let checkout = Checkout::new();
    let names = [
        "server start, from nothing",
        "server start, from stopped",
        "test server, to its first answer",
        "db-setup, server running",
        "migrate, nothing to do",
        "cargo xtask migrate, nothing to do",
        "loaddata of 100 tables, each",
    ];
    let rows = rows(&checkout, &["--runs", "1"], &[], &names);
    for row in rows {
        let ratio = row["ours_ms"].as_f64().unwrap() / row["peer_ms"].as_f64().unwrap();
        assert!((ratio - row["ratio"].as_f64().unwrap()).abs() < 0.01 && ratio > 0.0, "{row}");
    }
    // It created nothing in the state folder of the checkout that ran it.
    assert!(!checkout.root().join("state").exists());
}

#[test]
fn the_benchmark_compares_every_design_of_test_databases_with_sqlx_and_leaves_nothing() {
    let checkout = Checkout::new();
    let folder = checkout.root().join("tmp");
    fs::create_dir(&folder).unwrap();
    let names = [
        "hand-out to first query",
        "the same with 400 migrations",
        "the same with 400 migrations",
        "suite, 4 at a time",
        "suite, recycled",
        "suite, in transactions",
        "suite, cloned by the tests themselves",
        "#[sqlx::test], template1 migrated",
        "suite, a process a test",
        "clones, 4 waiting",
        "first query of a fresh checkout",
    ];
    let rows = rows(&checkout, &["scratch", "--tests", "4"], &[("TMPDIR", folder.as_os_str())], &names);
    for row in rows {
        let unit = if row["ours_ms"].is_null() { "per_s" } else { "ms" };
        let figure = |whose: &str| row[format!("{whose}_{unit}")].as_f64().unwrap();
        assert!(figure("ours") > 0.0 && figure("peer") > 0.0, "{row}");
        assert!(
            (figure("ours") / figure("peer") / row["ratio"].as_f64().unwrap() - 1.0).abs() < 0.01,
            "{row}"
        );
        assert_eq!(row["goal"].is_null(), row["reached"].is_null(), "{row}");
    }
    // Its servers ended with it: they left no socket, and no folder but the one for sockets.
    let mut paths = vec![folder];
    while let Some(path) = paths.pop() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(!name.starts_with("xtask-bench") && !name.ends_with(".socket"), "{}", path.display());
        if path.is_dir() {
            paths.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    assert!(!checkout.root().join("state").exists());
}

#[test]
fn the_benchmark_of_schemas_measures_every_row_on_a_server_of_its_own() {
    let checkout = Checkout::new();
    let names = [
        "read a large schema",
        "read the project's own schema",
        "db-check, expected schema kept",
        "verify",
        "adopt",
    ];
    let rows =
        rows(&checkout, &["catalogue", "--tables", "10", "--migrations", "6", "--runs", "1"], &[], &names);
    for row in rows {
        let ratio = row["ours_ms"].as_f64().unwrap() / row["peer_ms"].as_f64().unwrap();
        assert!((ratio / row["ratio"].as_f64().unwrap() - 1.0).abs() < 0.01 && ratio > 0.0, "{row}");
        assert!(!row["goal"].is_null(), "{row}");
    }
}

#[test]
fn the_benchmark_of_growth_measures_every_row_on_a_server_of_its_own() {
    let checkout = Checkout::new();
    let names = [
        "showmigrations",
        "showmigrations, wall time",
        "showmigrations --plan",
        "db-check, expected schema kept",
        "graph",
        "showmigrations, one app, half applied",
        "showmigrations, a file of many rows",
        "showmigrations, a long list of tables",
    ];
    rows(&checkout, &["growth", "--migrations", "100", "--runs", "1"], &[], &names);
    assert!(!checkout.root().join("state").exists());
}
