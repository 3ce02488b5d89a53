//! `cargo xtask test`: what it reports at the end, and that it leaves nothing behind, however it ends.

use rustix::process::{Signal, kill_process};

use crate::{
    borrowing::{Shared, begin},
    checkout::outcome,
    native_server::{lives, pid_of, wait_until},
    suite::Suite,
};

#[test]
fn it_reports_how_many_databases_it_handed_out_and_which_test_was_slowest() {
    let shared = Shared::new();
    let suite = Suite::new(&shared.checkout);
    let output = outcome(&suite.xtask("passes"));
    output
        .expect(0, &["1 database handed out, ", " ms each (median)", "slowest with one: ", "tests::passes"]);
    assert!(shared.hosts().is_empty());
}

#[test]
fn a_failure_stops_no_other_test_and_the_failed_ones_are_listed_last_without_backtraces() {
    let shared = Shared::new();
    let suite = Suite::new(&shared.checkout);
    // `panics` comes first, and then `passes`.
    let run = outcome(&suite.xtask("tests::p"));
    let all = format!("{}{}", run.stdout, run.stderr);
    let nextest = all.contains("Nextest run ID");
    run.expect(run.code, &[if nextest { "2 tests run: 1 passed, 1 failed" } else { "1 passed; 1 failed" }]);
    let (_, last) = all.rsplit_once(if nextest { "Summary [" } else { "failures:" }).unwrap();
    assert!(run.code != 0 && last.contains("tests::panics") && !last.contains("passes"), "{all}");
    assert!(!all.contains("stack backtrace") && !all.contains("handed out"), "{all}");
}

#[test]
fn the_server_of_a_failed_test_stays_until_a_sweep() {
    let shared = Shared::new();
    let suite = Suite::new(&shared.checkout);
    let output = outcome(&suite.xtask("panics"));
    let said = [
        "1 database of a failed test is kept; the failures above say how to open them",
        "the test server stays for 30 minutes, so that they can be opened; end it now: cargo xtask server sweep",
    ];
    assert_ne!(output.expect(output.code, &said).code, 0);
    let (host, (postmaster, folder)) = (shared.hosts()[0], shared.postmaster());
    suite.expect_opened(&output);
    shared.xtask(&["server", "sweep"]).expect(0, &["1 unused test server ended"]);
    wait_until("its host is gone", || !lives(host));
    assert!(!lives(postmaster) && !folder.exists());
}

#[test]
fn it_leaves_no_server_whichever_signal_ends_it() {
    for signal in [Signal::KILL, Signal::INT, Signal::TERM] {
        let shared = Shared::new();
        let suite = Suite::new(&shared.checkout);
        let command = begin(&suite.xtask("waits"));
        suite.wait_for_database();
        let (host, (postmaster, folder)) = (shared.hosts()[0], shared.postmaster());
        kill_process(pid_of(&command), signal).unwrap();
        // The tests that it started may live on, as after a kill, and end by themselves.
        wait_until("its host is gone", || !lives(host));
        wait_until("its server is gone", || !lives(postmaster));
        assert!(!folder.exists(), "{signal:?}");
        suite.stop();
        let output = command.wait().unwrap();
        if signal != Signal::KILL {
            assert_eq!(output.status.code(), Some(130), "{output:?}");
        }
    }
}
