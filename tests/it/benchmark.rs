//! The benchmark runs, reports every row, and leaves nothing; how fast anything is, no test judges.

use crate::checkout::{Checkout, outcome};

#[test]
fn the_benchmark_measures_every_row_on_a_server_of_its_own() {
    let checkout = Checkout::new();
    let told = outcome(&checkout.bare_command(&["bench", "--runs", "1", "--format", "json"]));
    let report: serde_json::Value = serde_json::from_str(&told.expect(0, &[]).stdout).unwrap();
    let rows = report["rows"].as_array().unwrap();
    let names: Vec<&str> = rows.iter().map(|row| row["what"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "server start, from nothing",
            "server start, from stopped",
            "test server, to its first answer",
            "db-setup, server running",
            "migrate, nothing to do",
            "cargo xtask migrate, nothing to do"
        ]
    );
    for row in rows {
        let ratio = row["ours_ms"].as_f64().unwrap() / row["peer_ms"].as_f64().unwrap();
        assert!((ratio - row["ratio"].as_f64().unwrap()).abs() < 0.01 && ratio > 0.0, "{row}");
    }
    // It set nothing up in the state folder of whoever ran it.
    assert!(!checkout.root().join("state").exists());
}
