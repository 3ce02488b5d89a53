//! The cached data directory of test servers: xtask makes it once and copies it for each server. Where it can't write a
//! cache, it starts servers without one.

mod accounts;
mod unusable;

use std::{
    ffi::OsStr,
    fs::{self, File, Permissions},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    sync::LazyLock,
};

use duct::{Handle, cmd};
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};

use crate::{
    checkout::Checkout,
    native_server::{NativeServer, Process, processes, wait_until},
};

/// Replaces cargo: lists no packages, writes the test server's URL to a file, and ends when that file is gone.
const CARGO: &str = "#!/bin/sh\n\
    if [ \"$1\" = metadata ]; then echo '{\"packages\":[]}'; exit; fi\n\
    printf %s \"$XTASK_TEST_URL\" >\"$URL_FILE.new\" && mv \"$URL_FILE.new\" \"$URL_FILE\"\n\
    while [ -e \"$URL_FILE\" ]; do sleep 0.01; done\n";

/// The folder of the Postgres binaries that test servers use on this machine.
static PROGRAMS: LazyLock<PathBuf> = LazyLock::new(|| {
    let it = Cached::with_checkout(Checkout::new());
    let server = it.start_in(&[]);
    let programs = Path::new(&server.process().words[0]).parent().unwrap().to_owned();
    server.end();
    programs
});

/// A checkout with its own cache, and an `initdb` that records each run.
struct Cached {
    checkout: Checkout,
}

/// A test server, which runs until the test calls [`Server::end`].
struct Server {
    command: Handle,
    url_file: PathBuf,
    url: PgConnectOptions,
}

impl Cached {
    fn new() -> Cached {
        let it = Cached::with_checkout(Checkout::new());
        it.programs("bin");
        it
    }

    fn with_checkout(checkout: Checkout) -> Cached {
        let it = Cached { checkout };
        // The server may run as another account, which needs access to this folder.
        fs::set_permissions(it.checkout.root(), Permissions::from_mode(0o755)).unwrap();
        it.executable("cargo", CARGO);
        fs::write(it.path("runs"), "").unwrap();
        fs::set_permissions(it.path("runs"), Permissions::from_mode(0o666)).unwrap();
        it
    }

    fn path(&self, name: &str) -> PathBuf {
        self.checkout.root().join(name)
    }

    fn executable(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), Permissions::from_mode(0o755)).unwrap();
    }

    /// Makes a folder with `postgres` and the recording `initdb`.
    fn programs(&self, folder: &str) -> PathBuf {
        fs::create_dir(self.path(folder)).unwrap();
        symlink(PROGRAMS.join("postgres"), self.path(folder).join("postgres")).unwrap();
        let (runs, initdb) = (self.path("runs"), PROGRAMS.join("initdb"));
        let script =
            format!("#!/bin/sh\necho run >>'{}'\nexec '{}' \"$@\"\n", runs.display(), initdb.display());
        self.executable(&format!("{folder}/initdb"), &script);
        self.path(folder)
    }

    /// A command of xtask. The first value of a variable wins.
    fn command(&self, args: &[&str], more: &[(&str, &OsStr)]) -> duct::Expression {
        let (bin, cache) = (self.path("bin"), self.path("cache"));
        let own = [("XTASK_PG_BIN", bin.as_os_str()), ("XDG_CACHE_HOME", cache.as_os_str())];
        let own = own.iter().filter(|it| it.0 != "XTASK_PG_BIN" || bin.exists());
        self.checkout.bare_command_in(args, &more.iter().chain(own).copied().collect::<Vec<_>>())
    }

    #[track_caller]
    fn start_in(&self, more: &[(&str, &OsStr)]) -> Server {
        self.begin_in(more).wait()
    }

    /// Starts a server, and does not wait for it.
    fn begin_in(&self, more: &[(&str, &OsStr)]) -> Server {
        let url_file = self.path(&format!("url-{:08x}", rand::random::<u32>()));
        let cargo = self.path("cargo");
        let own = [("CARGO", cargo.as_os_str()), ("URL_FILE", url_file.as_os_str())];
        let command = self.command(&["test"], &[more, &own].concat());
        let command = command.stdout_capture().stderr_capture().start().unwrap();
        Server { command, url_file, url: PgConnectOptions::new_without_pgpass() }
    }

    /// How many times `initdb` has run.
    fn initdb_runs(&self) -> usize {
        fs::read_to_string(self.path("runs")).unwrap().lines().count()
    }

    fn folder(&self) -> PathBuf {
        self.path("cache/xtask/clusters")
    }

    /// The files of the cache, without its lock.
    fn files(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.folder()).into_iter().flatten().map(|it| it.unwrap().path());
        files.filter(|it| !it.ends_with("lock")).collect()
    }

    #[track_caller]
    fn entry(&self) -> PathBuf {
        let [entry] = self.files().try_into().unwrap();
        entry
    }

    /// Starts a server, and expects that `initdb` has then run this many times.
    #[track_caller]
    fn expect_initdb_runs(&self, runs: usize) {
        let server = self.start_in(&[]);
        assert!(query(&server.url, "select 'well'").is_ok());
        server.end();
        assert_eq!(self.initdb_runs(), runs);
    }
}

impl Server {
    #[track_caller]
    fn wait(mut self) -> Server {
        wait_until("a test server", || {
            if let Some(ended) = self.command.try_wait().unwrap() {
                panic!("{ended:?}");
            }
            self.url_file.exists()
        });
        self.url = fs::read_to_string(&self.url_file).unwrap().parse().unwrap();
        self
    }

    fn process(&self) -> Process {
        let port = format!("--port={}", self.url.get_port());
        processes().into_iter().find(|it| it.data().is_some() && it.words.contains(&port)).unwrap()
    }

    #[track_caller]
    fn end(self) {
        fs::remove_file(&self.url_file).unwrap();
        let output = self.command.wait().unwrap();
        assert!(output.status.success(), "{output:?}");
        // No output mentions the cache.
        assert!(!format!("{output:?}").contains("cache"), "{output:?}");
    }
}

fn query(options: &PgConnectOptions, sql: &'static str) -> sqlx::Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut conn = PgConnection::connect_with(options).await?;
        let answer = sqlx::query_scalar(sql).fetch_one(&mut conn).await?;
        conn.close().await.map(|()| answer)
    })
}

#[test]
fn a_second_server_needs_no_initdb_and_has_another_password() {
    let it = Cached::new();
    let first = it.start_in(&[]);
    let second = it.start_in(&[]);
    assert_eq!(it.initdb_runs(), 1);
    for (mine, other) in [(&first, &second), (&second, &first)] {
        assert!(query(&mine.url, "select 'well'").is_ok());
        let taken = mine.url.clone().port(other.url.get_port());
        for options in [taken, other.url.clone().password("")] {
            let refused = query(&options, "select 'well'").unwrap_err();
            assert_eq!(refused.as_database_error().and_then(|it| it.code()).as_deref(), Some("28P01"));
        }
    }
    first.end();
    second.end();
}

#[test]
fn the_cache_is_private_has_no_password_and_rejects_every_login() {
    let it = Cached::new();
    it.expect_initdb_runs(1);
    let entry = it.entry();
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!((mode(&it.folder()), mode(&entry)), (0o700, 0o600));
    let content = fs::read(&entry).unwrap();
    let holds = |text: &str| content.windows(text.len()).any(|it| it == text.as_bytes());
    assert!(!holds("SCRAM-SHA-256$"));
    assert!(holds("\nhost    all             all             127.0.0.1/32            reject\n"));
    assert!(
        !["trust", "md5", "scram-sha-256", "peer"].iter().any(|it| holds(&format!("            {it}\n")))
    );
}

#[test]
fn a_login_is_cheap_on_a_test_server_and_costs_as_usual_on_the_development_server() {
    let it = Cached::new();
    let server = it.start_in(&[]);
    let sql = "select split_part(rolpassword, ':', 1) || ' ' || current_setting('server_version_num')
        from pg_authid where rolname = current_user";
    let answer = query(&server.url, sql).unwrap();
    let (stored, version) = answer.split_once(' ').unwrap();
    match version.parse::<u32>().unwrap() {
        ..160_000 => assert!(stored.starts_with("md5"), "{stored}"),
        _ => assert_eq!(stored, "SCRAM-SHA-256$1"),
    }
    // psql can log in too, without a warning.
    let url = fs::read_to_string(&server.url_file).unwrap();
    let said = cmd!("psql", "--no-psqlrc", "--tuples-only", "--no-align", "--command", "select 'well'", url);
    assert_eq!(said.stderr_to_stdout().read().unwrap(), "well");
    server.end();

    let durable = NativeServer::new();
    durable.xtask(&["db-setup"]).expect(0, &[]);
    let stored = query(&durable.url().parse().unwrap(), sql).unwrap();
    assert!(stored.starts_with("SCRAM-SHA-256$4096 "), "{stored}");
}

#[test]
fn two_first_servers_at_once_make_one_entry() {
    let it = Cached::new();
    fs::create_dir_all(it.folder()).unwrap();
    let other = File::create(it.folder().join("lock")).unwrap();
    other.lock().unwrap();
    // Another process holds the lock, and the server does not wait for it.
    it.expect_initdb_runs(1);
    assert_eq!(it.files(), [] as [PathBuf; 0]);
    drop(other);
    let begun = [it.begin_in(&[]), it.begin_in(&[])];
    for server in begun.map(Server::wait) {
        assert!(query(&server.url, "select 'well'").is_ok());
        server.end();
    }
    it.entry();
    it.expect_initdb_runs(it.initdb_runs());
}

#[test]
fn other_binaries_and_another_time_zone_have_their_own_entries() {
    let it = Cached::new();
    it.expect_initdb_runs(1);
    let other = it.programs("other");
    let zone = "Asia/Kathmandu";
    for (entries, more) in [(2, ("XTASK_PG_BIN", other.as_os_str())), (3, ("TZ", OsStr::new(zone)))] {
        for _ in 0..2 {
            let server = it.start_in(&[more]);
            let shown = query(
                &server.url,
                "select setting from pg_file_settings where name = 'TimeZone' or name = 'timezone'",
            )
            .unwrap();
            assert_eq!(shown == zone, more.0 == "TZ", "{shown}");
            server.end();
            assert_eq!((it.initdb_runs(), it.files().len()), (entries, entries));
        }
    }
    it.expect_initdb_runs(3);
}
