//! Downloads that fail: the message, and that nothing of them stays.

use std::fs;

use crate::{archive, checkout::outcome, fixture::Downloaded, maven::Mood};

const DB_SETUP: [&str; 3] = ["--server", "download", "db-setup"];
/// The ways out, whatever the cause.
const WAYS_OUT: [&str; 3] = ["apt install postgresql", "start Docker", "DATABASE_URL="];

#[test]
fn a_failing_repository_is_reported_with_the_cause_and_leaves_nothing() {
    for (mood, said) in [
        (Mood::WrongChecksum, "so it was not kept: its SHA-512 is "),
        (Mood::BreaksOff, "broke off, so it was not kept: error decoding response body"),
        (Mood::HasNone, "is missing from the repository: HTTP status client error (404 Not Found)"),
        (Mood::ListsNone, "does not list PostgreSQL "),
        (Mood::NoRepository, "is not the address of a Maven repository"),
        (Mood::Gone, "Connection refused"),
    ] {
        let it = Downloaded::from_archive(archive::foreign());
        it.maven.set(mood);
        let refused = it.xtask(&DB_SETUP);
        refused.expect(1, &["error: ", said, "http", "export XTASK_DOWNLOAD_FROM="]).expect(1, &WAYS_OUT);
        assert_eq!(it.cache_entries(), Vec::<String>::new(), "{mood:?}");
        it.xtask(&["--server", "download", "server", "status"]).expect(0, &["not made yet"]);
    }
}

#[test]
fn an_archive_is_trusted_for_what_it_holds_or_for_a_digest_of_the_users() {
    let it = Downloaded::new();
    let with =
        |trusted: &str| outcome(&it.command_in(&DB_SETUP, &[("XTASK_DOWNLOAD_SHA512", trusted.as_ref())]));
    // The repository states its digest, and it is not the build that is known.
    let unknown = with("");
    unknown.expect(1, &["it is not the build that is known here: the SHA-256 of its files is "]);
    unknown.expect(1, &WAYS_OUT);
    assert_eq!(it.cache_entries(), Vec::<String>::new());
    let trusted = unknown.advice("export XTASK_DOWNLOAD_SHA512=");
    let other = "0".repeat(128);
    let refused = with(&other);
    refused.expect(1, &["XTASK_DOWNLOAD_SHA512 does not list its SHA-512, which is "]).expect(1, &WAYS_OUT);
    assert_eq!(it.cache_entries(), Vec::<String>::new());
    assert_eq!(trusted, refused.advice("which is "));
    with(&format!("{other} {trusted}")).expect(0, &["created"]);
}

#[test]
fn programs_that_do_not_run_here_are_not_kept() {
    let it = Downloaded::from_archive(archive::foreign());
    it.xtask(&DB_SETUP).expect(1, &["does not run here, so it was not kept", "glibc 2.17"]);
    assert_eq!(it.cache_entries(), Vec::<String>::new());
}

#[test]
fn a_cache_folder_without_room_or_permission_is_reported() {
    let it = Downloaded::new();
    fs::create_dir_all(it.cache()).unwrap();
    for (options, said) in [
        ("size=4m", "No space left on device"),
        ("ro", "Read-only file system"),
        ("nr_inodes=2", "No space left"),
    ] {
        let mount = format!("mount --types tmpfs --options {options} none {}", it.cache().display());
        let refused = it.mounting(&mount, &DB_SETUP);
        refused.expect(1, &[said, "none of them were kept", "export XDG_CACHE_HOME="]).expect(1, &WAYS_OUT);
        assert!(!refused.stdout.contains("draft-"), "{}", refused.stdout);
    }
    let file = it.checkout.root().join("file");
    fs::write(&file, "").unwrap();
    let refused = outcome(&it.command_in(&DB_SETUP, &[("XDG_CACHE_HOME", file.as_os_str())]));
    refused.expect(1, &["Not a directory", "export XDG_CACHE_HOME="]);
}

#[test]
fn a_major_version_without_a_download_is_refused_before_any_request() {
    let it = Downloaded::from_archive(archive::foreign());
    it.checkout.replace("apps.toml", &format!("version = {}", it.major), "version = 99");
    let said = ["PostgreSQL 99 is not among the downloads, which are 15, 16, 17, 18", "apps.toml"];
    it.xtask(&DB_SETUP).expect(1, &said).expect(1, &WAYS_OUT);
    assert_eq!(it.maven.requests(), 0);
}

#[test]
fn an_invalid_address_is_refused_and_not_repeated() {
    let it = Downloaded::from_archive(archive::foreign());
    let refused = outcome(&it.command_in(&DB_SETUP, &[("XTASK_DOWNLOAD_FROM", "me:s3cret@mirror".as_ref())]));
    refused.expect(1, &["XTASK_DOWNLOAD_FROM is not the address of a Maven repository"]);
    assert!(!refused.stderr.contains("s3cret"), "{}", refused.stderr);
}

#[test]
fn auto_lists_every_way_out_if_no_server_is_available() {
    let it = Downloaded::from_archive(archive::foreign());
    it.maven.set(Mood::Gone);
    it.without_programs(&["db-setup"]).expect(1, &["Connection refused"]).expect(1, &WAYS_OUT);
}

#[test]
fn a_named_folder_without_programs_is_an_error_and_no_download() {
    let it = Downloaded::from_archive(archive::foreign());
    for args in [&["db-setup"] as &[&str], &["verify"]] {
        let refused = outcome(&it.command_in(args, &[("XTASK_PG_BIN", "/nowhere".as_ref())]));
        refused.expect(1, &["XTASK_PG_BIN=/nowhere holds no postgres and initdb that run here"]);
    }
    assert_eq!(it.maven.requests(), 0);
}

#[test]
fn a_missing_psql_is_reported_with_the_command_that_installs_it() {
    let it = Downloaded::new();
    it.xtask(&["--server", "download", "server", "start"]).expect(0, &[]);
    let around = [("PATH", "/nowhere".as_ref()), ("XTASK_PG_BIN", "/nowhere".as_ref())];
    outcome(&it.command_in(&["db-shell"], &around))
        .expect(1, &["psql is not on this machine's PATH", "apt-get install postgresql-client"]);
}
