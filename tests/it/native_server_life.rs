//! The life of a development server from this machine's own binaries: commands create it, find it again and stop it, and
//! it belongs to one checkout.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt, process::CommandExt},
    path::Path,
};

use duct::{Handle, cmd};
use rustix::process::{Signal, kill_process_group};

use crate::{
    checkout::outcome,
    native_server::{NativeServer, lives, pid_of, processes, wait_until},
};

#[test]
fn db_setup_creates_everything_and_a_second_run_keeps_it() {
    let it = NativeServer::new();
    it.xtask(&["server", "status"]).expect(0, &["native", "not made yet"]);
    it.xtask(&["server", "stop"]).expect(0, &["not running"]);
    let all = [
        "native",
        "created",
        "people/0001_initial",
        "roles +3",
        "9 tables, 19 seeded rows, exactly as the files say",
    ];
    it.xtask(&["db-setup"]).expect(0, &all);
    let again = it.xtask(&["db-setup"]);
    again.expect(0, &["native", "kept", "9 tables, 19 seeded rows, exactly as the files say"]);
    for news in ["created", "started", "0001_initial", "roles +3"] {
        assert!(!again.stdout.contains(news), "{}", again.stdout);
    }
    it.xtask(&["db-check"]).expect(0, &["exactly as the files say"]);
}

#[test]
fn server_status_shows_port_pid_data_and_log() {
    let it = NativeServer::new();
    it.xtask(&["server", "start"]).expect(0, &["created"]);
    let status = it.status();
    assert!(status["server"].starts_with("native"), "{status:?}");
    assert_eq!(status["state"], "running");
    assert_eq!(status["pid"], it.postmaster().as_raw_nonzero().to_string());
    assert!(it.url().contains(&format!("@127.0.0.1:{}/app", status["port"])), "{status:?}");
    assert!(Path::new(&status["data"]).join("PG_VERSION").is_file(), "{status:?}");
    assert!(Path::new(&status["log"]).is_file(), "{status:?}");
    let rows: Vec<String> = status.iter().map(|(name, value)| format!("{name:<9} {value}")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).filter(|row| !row.starts_with("up ")).collect();
    it.xtask(&["server", "status"]).expect(0, &rows);
    it.xtask(&["server", "stop"]).expect(0, &[]);
    let status = it.status();
    assert_eq!((status["state"].as_str(), status.get("pid")), ("stopped", None));
    it.xtask(&["server", "status"]).expect(0, &["stopped", "cargo xtask server start"]);
}

#[test]
fn url_and_data_survive_a_stop() {
    let it = NativeServer::new();
    it.xtask(&["db-setup"]).expect(0, &[]);
    it.write_data();
    let (url, pid) = (it.url(), it.postmaster());
    it.xtask(&["server", "stop"]).expect(0, &[&format!("pid {}", pid.as_raw_nonzero()), "stopped"]);
    // The process that inherited it may take a moment to reap it.
    wait_until("the postmaster is gone", || !lives(pid));
    assert_eq!(it.postmasters(), []);
    it.xtask(&["server", "stop"]).expect(0, &["not running"]);
    it.xtask(&["server", "start"]).expect(0, &["started"]);
    assert_eq!(it.url(), url);
    it.expect_data();
    it.xtask(&["db-check"]).expect(0, &[]);
}

#[test]
fn a_database_url_with_the_servers_own_address_leaves_it_native() {
    let it = NativeServer::new();
    it.xtask(&["db-setup"]).expect(0, &[]);
    fs::write(it.checkout.root().join(".env"), format!("DATABASE_URL={}\n", it.url())).unwrap();
    it.xtask(&["server", "stop"]).expect(0, &["stopped"]);
    it.xtask(&["migrate"]).expect(0, &["native (DATABASE_URL is its own)", "0 pending"]);
    it.xtask(&["server", "status"]).expect(0, &["native (DATABASE_URL is its own)", "running"]);
}

#[test]
fn database_url_can_name_another_database_on_our_own_server() {
    let it = NativeServer::new();
    it.xtask(&["db-setup"]).expect(0, &[]);
    let other = format!("{}/other", it.url().rsplit_once('/').unwrap().0);
    let on_other =
        |args: &[&str]| outcome(&it.checkout.bare_command_in(args, &[("DATABASE_URL", other.as_ref())]));
    on_other(&["migrate"]).expect(1, &["database `other` does not exist"]);
    on_other(&["db-setup"]).expect(0, &["other", "created", "applied"]);
    it.xtask(&["server", "stop"]).expect(0, &["stopped"]);
    on_other(&["db-drop"]).expect(0, &["server started", "other", "dropped"]);
    it.xtask(&["db-check"]).expect(0, &[]);
}

#[test]
fn commands_that_need_a_database_create_no_server() {
    let it = NativeServer::new();
    for args in
        [&["showmigrations"] as &[&str], &["db-check"], &["migrate"], &["seed"], &["db-drop"], &["db-url"]]
    {
        it.xtask(args).expect(1, &["this checkout has no database yet", "make it: cargo xtask db-setup"]);
    }
    assert_eq!(it.found_folder(), None);
}

#[test]
fn the_server_outlives_the_command_that_started_it_and_its_ctrl_c() {
    let it = NativeServer::new();
    it.checkout.migration("people/0002_slow", "select pg_sleep(600);", "select 1;");
    let own_group = it.checkout.bare_command(&["db-setup"]).before_spawn(|command| {
        command.process_group(0);
        Ok(())
    });
    let running = own_group.stdout_capture().stderr_capture().start().unwrap();
    let ready = || {
        let file = it.found_folder().and_then(|it| fs::read_to_string(it.join("data/postmaster.pid")).ok());
        file.is_some_and(|text| text.contains("ready"))
    };
    wait_until("the server is ready", ready);
    let server = it.postmaster();
    kill_process_group(pid_of(&running), Signal::INT).unwrap();
    let output = running.wait().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert!(kill_process_group(pid_of(&running), Signal::INT).is_err(), "a process is still in the group");
    it.checkout.remove("people/0002_slow.up.sql");
    it.checkout.remove("people/0002_slow.down.sql");
    let next = it.xtask(&["db-setup"]);
    next.expect(0, &["9 tables, 19 seeded rows, exactly as the files say"]);
    assert!(next.stdout.lines().any(|line| line.contains("native") && line.ends_with("kept")), "{next:?}");
    assert_eq!(it.postmaster(), server);
}

#[track_caller]
fn check_at_once(n_commands: usize) {
    let it = NativeServer::new();
    let started: Vec<Handle> = (0..n_commands).map(|_| it.begin(&["db-setup"])).collect();
    let outputs: Vec<_> = started.iter().map(|handle| handle.wait().unwrap()).collect();
    let all: String = outputs
        .iter()
        .flat_map(|it| [&it.stdout, &it.stderr])
        .map(|it| String::from_utf8_lossy(it))
        .collect();
    assert!(outputs.iter().all(|it| it.status.success()), "{all}");
    it.postmaster();
    for step in ["server ", "database "] {
        let created = all.lines().filter(|line| line.starts_with(step) && line.contains(" created"));
        assert_eq!(created.count(), 1, "{all}");
    }
    it.xtask(&["db-check"]).expect(0, &[]);
}

#[test]
fn two_commands_at_once_create_one_server() {
    check_at_once(2);
}

#[test]
fn ten_commands_at_once_create_one_server() {
    check_at_once(10);
}

#[test]
fn checkouts_have_separate_servers_and_none_is_below_target() {
    let (one, other) = (NativeServer::new(), NativeServer::new());
    // Both use the state folder of one user.
    let home = one.checkout.root().join("state");
    let of_other = [("XDG_STATE_HOME", home.as_os_str())];
    one.xtask(&["server", "start"]).expect(0, &["created"]);
    other.xtask_in(&["server", "start"], &of_other).expect(0, &["created"]);
    let status = other.xtask_in(&["server", "status", "--format", "json"], &of_other);
    let (one_status, other_status) =
        (one.status(), serde_json::from_str::<BTreeMap<String, String>>(&status.stdout).unwrap());
    for name in ["pid", "port", "data", "log"] {
        assert_ne!(one_status[name], other_status[name]);
    }
    for status in [&one_status, &other_status] {
        let data = Path::new(&status["data"]);
        assert!(data.starts_with(home.canonicalize().unwrap()), "{status:?}");
        assert!(!data.iter().any(|part| part == "target"), "{status:?}");
    }
    other.xtask_in(&["server", "stop"], &of_other).expect(0, &["stopped"]);
    assert_eq!(one.postmasters().len(), 1);
}

#[test]
fn db_url_starts_a_stopped_server_and_prints_a_url_that_works() {
    let it = NativeServer::new();
    it.xtask(&["db-setup"]).expect(0, &[]);
    it.xtask(&["server", "stop"]).expect(0, &["stopped"]);
    let printed = it.xtask(&["db-url"]);
    printed.expect(0, &["server started: native"]);
    let url = printed.stdout.trim_end();
    assert_eq!((url.lines().count(), url.starts_with("postgres://app:")), (1, true), "{printed:?}");
    let select = "select count(*) from roles";
    let rows = cmd!("psql", "--no-psqlrc", "--tuples-only", "--no-align", "--command", select, url).read();
    assert_eq!(rows.unwrap(), "3");
}

#[test]
fn other_users_cannot_read_passwords() {
    let it = NativeServer::new();
    let starts: [(&str, &dyn Fn()); 2] = [
        ("created", &|| {}),
        // Without its state file the server gets a new password.
        ("started", &|| fs::remove_file(it.folder().join("server.json")).unwrap()),
    ];
    for (state, before) in starts {
        before();
        let running = it.begin(&["server", "start"]);
        let mut seen = Vec::new();
        while running.try_wait().unwrap().is_none() {
            seen.extend(processes());
        }
        seen.extend(processes());
        let output = running.wait().unwrap();
        assert!(String::from_utf8_lossy(&output.stdout).contains(state), "{output:?}");
        let folder = it.folder();
        let text = fs::read_to_string(folder.join("server.json")).unwrap();
        let password = serde_json::from_str::<serde_json::Value>(&text).unwrap()["password"].clone();
        let password = password.as_str().unwrap();
        assert!(it.url().contains(password));
        assert!(!seen.iter().flat_map(|it| &it.words).any(|word| word.contains(password)));
        assert!(!fs::read_to_string(folder.join("server.log")).unwrap().contains(password));
        assert!(!String::from_utf8_lossy(&output.stdout).contains(password));
        assert!(!String::from_utf8_lossy(&output.stderr).contains(password));
        for (path, mode) in [("", 0o700), ("data", 0o700), ("server.json", 0o600), ("server.log", 0o600)] {
            let found = fs::metadata(folder.join(path)).unwrap().permissions().mode() & 0o777;
            assert_eq!(found, mode, "{path} has {found:o}");
        }
    }
}

#[test]
fn a_checkout_in_a_folder_whose_name_is_not_utf_8_has_a_server_like_any_other() {
    let server = NativeServer::new();
    let root = server.checkout.root().join(OsStr::from_bytes(b"r\xffot"));
    fs::create_dir(&root).unwrap();
    fs::rename(server.checkout.path(""), root.join("migrations")).unwrap();
    let state = root.join("state");
    let more = [("XTASK_ROOT", root.as_os_str()), ("XDG_STATE_HOME", state.as_os_str())];
    let commands: &[&[&str]] =
        &[&["db-setup"], &["server", "status"], &["db-setup"], &["db-reset"], &["server", "stop"]];
    let done: Vec<_> = commands.iter().map(|args| server.xtask_in(args, &more)).collect();
    for outcome in &done {
        outcome.expect(0, &[]);
    }
    done[1].expect(0, &["running"]);
}

#[test]
fn a_sweep_stops_the_server_of_a_moved_checkout_and_the_checkout_can_have_it_back() {
    let server = NativeServer::new();
    let [old, new] = ["old", "new place"].map(|name| server.checkout.root().join(name));
    fs::create_dir(&old).unwrap();
    fs::rename(server.checkout.path(""), old.join("migrations")).unwrap();
    let run = |root: &Path, args: &[&str]| server.xtask_in(args, &[("XTASK_ROOT", root.as_os_str())]);
    run(&old, &["db-setup"]).expect(0, &["created"]);
    let pid = server.postmaster();
    run(&old, &["server", "sweep"]).expect(0, &["of killed commands removed"]);
    assert!(lives(pid));
    fs::rename(&old, &new).unwrap();
    let gone = format!("the server of {}, which is gone; its data is kept", old.display());
    let swept = run(&new, &["server", "sweep"]);
    swept.expect(0, &["stopped  pid", &gone]);
    assert_eq!(server.postmasters(), []);
    cmd!("sh", "-c", swept.advice("use it for this checkout:")).run().unwrap();
    run(&new, &["db-setup"]).expect(0, &["started", "0 pending"]);
    let swept = run(&new, &["server", "sweep"]);
    assert!(!swept.stdout.contains("gone"), "{swept:?}");
    run(&new, &["server", "stop"]).expect(0, &["stopped"]);
    fs::rename(&new, &old).unwrap();
    let swept = run(&old, &["server", "sweep"]);
    swept.expect(0, &["new place, which is gone"]);
    cmd!("sh", "-c", swept.advice("remove it:")).run().unwrap();
    assert_eq!(server.found_folder(), None);
}
