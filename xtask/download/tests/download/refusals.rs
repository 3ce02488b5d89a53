//! Downloads that fail: what is said, and that nothing of them stays.

use std::fs;

use crate::{archive, checkout::outcome, fixture::Downloaded, maven::Mood};

const DB_SETUP: [&str; 3] = ["--server", "download", "db-setup"];
/// What helps whatever the cause is.
const WAYS_OUT: [&str; 3] = ["apt install postgresql", "start Docker", "DATABASE_URL="];

#[test]
fn a_repository_that_fails_is_told_with_its_cause_and_leaves_nothing() {
    for (mood, said) in [
        (Mood::WrongChecksum, "is something else, and nothing of it was kept: its SHA-512 is "),
        (Mood::BreaksOff, "broke off, and nothing of it was kept: error decoding response body"),
        (Mood::HasNone, "is not to be had there: HTTP status client error (404 Not Found)"),
        (Mood::ListsNone, "does not list PostgreSQL "),
        (Mood::NoRepository, "is not that of a Maven repository"),
        (Mood::Gone, "Connection refused"),
    ] {
        let it = Downloaded::of(archive::foreign());
        it.maven.set(mood);
        let told = it.xtask(&DB_SETUP);
        told.expect(1, &["error: ", said, "http", "export XTASK_DOWNLOAD_FROM="]).expect(1, &WAYS_OUT);
        assert_eq!(it.kept(), Vec::<String>::new(), "{mood:?}");
        it.xtask(&["--server", "download", "server", "status"]).expect(0, &["not made yet"]);
    }
}

#[test]
fn programs_that_do_not_run_here_are_not_kept() {
    let it = Downloaded::of(archive::foreign());
    it.xtask(&DB_SETUP).expect(1, &["does not run here, so nothing of it was kept", "glibc 2.17"]);
    assert_eq!(it.kept(), Vec::<String>::new());
}

#[test]
fn a_cache_folder_without_room_or_permission_is_told() {
    let it = Downloaded::new();
    fs::create_dir_all(it.cache()).unwrap();
    for (options, said) in [
        ("size=4m", "No space left on device"),
        ("ro", "Read-only file system"),
        ("nr_inodes=2", "No space left"),
    ] {
        let mount = format!("mount --types tmpfs --options {options} none {}", it.cache().display());
        let told = it.mounting(&mount, &DB_SETUP);
        told.expect(1, &[said, "nothing of them was kept", "export XDG_CACHE_HOME="]).expect(1, &WAYS_OUT);
        assert!(!told.stdout.contains("draft-"), "{}", told.stdout);
    }
    let file = it.checkout.root().join("file");
    fs::write(&file, "").unwrap();
    let told = outcome(&it.command_in(&DB_SETUP, &[("XDG_CACHE_HOME", file.as_os_str())]));
    told.expect(1, &["Not a directory", "export XDG_CACHE_HOME="]);
}

#[test]
fn a_major_without_a_download_is_refused_before_anything_is_asked() {
    let it = Downloaded::of(archive::foreign());
    it.checkout.replace("apps.toml", &format!("version = {}", it.major), "version = 99");
    let said = ["PostgreSQL 99 is not among the downloads, which are 15, 16, 17, 18", "apps.toml"];
    it.xtask(&DB_SETUP).expect(1, &said).expect(1, &WAYS_OUT);
    assert_eq!(it.maven.requests(), 0);
}

#[test]
fn an_address_that_is_none_is_refused_and_not_repeated() {
    let it = Downloaded::of(archive::foreign());
    let told = outcome(&it.command_in(&DB_SETUP, &[("XTASK_DOWNLOAD_FROM", "me:s3cret@mirror".as_ref())]));
    told.expect(1, &["XTASK_DOWNLOAD_FROM is no address of a Maven repository"]);
    assert!(!told.stderr.contains("s3cret"), "{}", told.stderr);
}

#[test]
fn auto_names_every_way_out_where_nothing_is_to_be_had() {
    let it = Downloaded::of(archive::foreign());
    it.maven.set(Mood::Gone);
    it.without_programs(&["db-setup"]).expect(1, &["Connection refused"]).expect(1, &WAYS_OUT);
}

#[test]
fn a_folder_that_was_named_and_has_no_programs_is_an_error_and_no_download() {
    let it = Downloaded::of(archive::foreign());
    for args in [&["db-setup"] as &[&str], &["verify"]] {
        let told = outcome(&it.command_in(args, &[("XTASK_PG_BIN", "/nowhere".as_ref())]));
        told.expect(1, &["XTASK_PG_BIN=/nowhere holds no postgres and initdb that run here"]);
    }
    assert_eq!(it.maven.requests(), 0);
}

#[test]
fn a_missing_psql_is_told_with_where_to_get_it() {
    let it = Downloaded::new();
    it.xtask(&["--server", "download", "server", "start"]).expect(0, &[]);
    let around = [("PATH", "/nowhere".as_ref()), ("XTASK_PG_BIN", "/nowhere".as_ref())];
    outcome(&it.command_in(&["db-shell"], &around))
        .expect(1, &["psql is not on this machine's PATH", "apt-get install postgresql-client"]);
}
