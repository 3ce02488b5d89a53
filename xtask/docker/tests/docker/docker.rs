//! A checkout whose server is a container, and its containers and volumes.

use std::{
    ffi::{OsStr, OsString},
    fs,
    time::{Duration, Instant},
};

use duct::{Expression, cmd};

use crate::{
    checkout::{Checkout, Outcome, built, outcome},
    engine::Engine,
};

/// The checkout. Dropping it removes its containers and volumes.
pub(crate) struct Docker {
    pub(crate) checkout: Checkout,
    /// `None`: the machine's.
    engine: Option<Engine>,
}

impl Docker {
    /// On the machine's engine.
    pub(crate) fn new() -> Docker {
        let it = Docker { checkout: Checkout::new(), engine: None };
        assert!(
            it.docker(&["version"]).is_some(),
            "no Docker engine answers, and this proves the server in Docker\n  start one: see CONTRIBUTING.md"
        );
        it
    }

    /// On an engine of its own.
    pub(crate) fn apart(engine: Engine) -> Docker {
        Docker { checkout: Checkout::new(), engine: Some(engine) }
    }

    pub(crate) fn engine(&mut self) -> &mut Engine {
        self.engine.as_mut().unwrap()
    }

    /// The value of `DOCKER_HOST`. An empty one counts as unset and means the usual place.
    fn host(&self) -> OsString {
        match &self.engine {
            Some(engine) => engine.host().into(),
            None => std::env::var_os("DOCKER_HOST").unwrap_or_default(),
        }
    }

    pub(crate) fn command(&self, args: &[&str]) -> Expression {
        self.command_in(args, &[])
    }

    /// A command in an environment that differs in these variables.
    pub(crate) fn command_in(&self, args: &[&str], more: &[(&str, &str)]) -> Expression {
        let host = self.host();
        let more = more.iter().map(|(name, value)| (*name, OsStr::new(value)));
        let usual = [("DOCKER_HOST", host.as_os_str()), ("XTASK_POSTGRES_IMAGE", OsStr::new(""))];
        let variables: Vec<_> = more.chain(usual).collect();
        let starter = self.engine.as_ref().map(Engine::entrance).unwrap_or_default();
        let starter: Vec<&OsStr> = starter.iter().map(OsStr::new).collect();
        self.checkout.bare_command_by(&starter, args, &variables)
    }

    pub(crate) fn xtask(&self, args: &[&str]) -> Outcome {
        outcome(&self.command(args))
    }

    pub(crate) fn xtask_in(&self, args: &[&str], more: &[(&str, &str)]) -> Outcome {
        outcome(&self.command_in(args, more))
    }

    /// The output of Docker's own client. `None` if it fails.
    pub(crate) fn docker(&self, args: &[&str]) -> Option<String> {
        let client = cmd("docker", args).stderr_null();
        let host = self.host();
        // For the client too, an empty one counts as unset.
        client.env("DOCKER_HOST", host).read().ok()
    }

    /// The label of the containers of this checkout: the name of its state folder.
    pub(crate) fn repository(&self) -> String {
        self.state_folder_name().expect("no command has been run yet")
    }

    fn state_folder_name(&self) -> Option<String> {
        let mut entries = fs::read_dir(self.checkout.root().join("state/xtask")).ok()?;
        entries.next()?.unwrap().file_name().into_string().ok()
    }

    /// The kind of server that the next command uses by default.
    pub(crate) fn remembered(&self) -> Option<String> {
        let folder = self.checkout.root().join("state/xtask").join(self.state_folder_name()?);
        fs::read_to_string(folder.join("server-kind")).ok()
    }

    /// The containers of this checkout, in any state.
    pub(crate) fn containers(&self) -> Vec<String> {
        let label = format!("label=xtask.repository={}", self.repository());
        self.lines(&["ps", "--all", "--filter", &label, "--format", "{{.Names}} {{.State}}"])
    }

    pub(crate) fn container(&self) -> String {
        format!("xtask-{}", self.repository())
    }

    /// The volumes of this checkout, of every major version.
    pub(crate) fn volumes(&self) -> Vec<String> {
        let ours = format!("{}-pg", self.container());
        let mut names = self.lines(&["volume", "ls", "--quiet"]);
        names.retain(|name| name.starts_with(&ours));
        names
    }

    fn lines(&self, args: &[&str]) -> Vec<String> {
        self.docker(args).unwrap().lines().map(str::to_owned).collect()
    }

    /// Asserts that there is no container and no volume, and that Docker is not remembered.
    #[track_caller]
    pub(crate) fn expect_nothing(&self) {
        assert_eq!((self.containers(), self.volumes()), (vec![], vec![]));
        assert_eq!(self.remembered(), None);
    }

    /// The test servers of a process, which may have ended.
    pub(crate) fn test_servers_of(&self, pid: &str) -> usize {
        let label = "{{.Label \"xtask.owner\"}}";
        let owners = self.lines(&["ps", "--all", "--filter", "label=xtask.role=test", "--format", label]);
        owners.iter().filter(|owner| owner.split(':').next() == Some(pid)).count()
    }

    pub(crate) fn sql(&self, sql: &str) -> String {
        let shown = self.xtask(&["db-shell", "--tuples-only", "--no-align", "--quiet", "--command", sql]);
        shown.expect(0, &[]).stdout.trim().to_owned()
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        if self.state_folder_name().is_none() {
            return;
        }
        self.docker(&["rm", "--force", "--volumes", &self.container()]);
        for volume in self.docker(&["volume", "ls", "--quiet"]).map(|_| self.volumes()).unwrap_or_default() {
            self.docker(&["volume", "rm", "--force", &volume]);
        }
    }
}

/// The usual image with another entry point. Dropping this removes it.
pub(crate) struct Image(pub(crate) String);

impl Image {
    /// An image that runs a shell script instead of a server.
    pub(crate) fn running(it: &Docker, script: &str) -> Image {
        let container = it.docker(&["create", "postgres:15-alpine"]).unwrap();
        let name = format!("xtask-it:{}", &container[..12]);
        let entry = format!("ENTRYPOINT {}", serde_json::json!(["sh", "-c", script]));
        it.docker(&["commit", "--change", &entry, "--change", "CMD []", &container, &name]).unwrap();
        it.docker(&["rm", "--volumes", &container]).unwrap();
        Image(name)
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        // Only on the machine's engine: an engine of a test disappears with its images.
        let _ =
            cmd!("docker", "image", "rm", "--force", &self.0).stdout_null().stderr_null().unchecked().run();
    }
}

/// `xtask-docker` itself, for cases that no command of `xtask` leads to.
pub(crate) fn package(starter: &[&str], program: &OsStr, verb: &str) -> Expression {
    let words = starter.iter().map(OsStr::new).chain([program, OsStr::new(verb)]);
    let words: Vec<&OsStr> = words.collect();
    cmd(words[0], &words[1..]).unchecked()
}

pub(crate) fn package_program() -> OsString {
    built("xtask-docker").into_os_string()
}

#[track_caller]
pub(crate) fn wait_until(what: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
